/** `completions`: what shells need to know to complete command lines. */
import { type Command, optionsOf, type OptionSpec, UsageError } from "./shared/options.ts";
import { print } from "./shared/progress.ts";

type Commands = Readonly<Record<string, Command>>;

/** A text in single quotes for a shell. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Options of a command as they are typed. */
const flagsOf = (command: Command) => Object.keys(optionsOf(command)).map((name) => `--${name}`);

/** First words of commands, each once. */
function firstWords(commands: Commands): string[] {
  return [...new Set(Object.keys(commands).map((name) => name.split(" ")[0]!))];
}

/** Second words of commands of two, by their first. */
function secondWords(commands: Commands): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of Object.keys(commands)) {
    const [first, second] = name.split(" ");
    if (second) found.set(first!, [...found.get(first!) ?? [], second]);
  }
  return found;
}

/** Works in zsh as well, which has bash's way of completing. */
function bash(program: string, commands: Commands): string {
  const seconds = secondWords(commands);
  return [
    `_${program}() {`,
    '  local current="${COMP_WORDS[COMP_CWORD]}" words=""',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words=${quoted(firstWords(commands).join(" "))}`,
    "  else",
    '    local name="${COMP_WORDS[1]}"',
    ...[...seconds].flatMap(([first, words]) => [
      `    if [ "$name" = ${quoted(first)} ]; then`,
      `      if [ "$COMP_CWORD" -eq 2 ]; then words=${quoted(words.join(" "))}`,
      '      else name="$name ${COMP_WORDS[2]}"; fi',
      "    fi",
    ]),
    '    case "$name" in',
    ...Object.entries(commands).map(([name, command]) =>
      `      ${quoted(name)}) words=${quoted(flagsOf(command).join(" "))} ;;`
    ),
    "    esac",
    "  fi",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    `complete -o default -F _${program} ${program}`,
  ].join("\n");
}

function zsh(program: string, commands: Commands): string {
  return `#compdef ${program}\nautoload -U +X bashcompinit && bashcompinit\n` +
    bash(program, commands);
}

function fish(program: string, commands: Commands): string {
  const option = (name: string, key: string, { help, short, type }: OptionSpec) =>
    [
      `complete -c ${program}`,
      `-n ${quoted(name.split(" ").map((w) => `__fish_seen_subcommand_from ${w}`).join("; and "))}`,
      `-l ${key}`,
      ...(short ? [`-s ${short}`] : []),
      ...(type === "string" ? ["-r"] : []),
      `-d ${quoted(help)}`,
    ].join(" ");
  const seconds = secondWords(commands);
  const summary = (name: string) => quoted(commands[name]?.summary ?? "");
  return [
    ...firstWords(commands).map((word) =>
      `complete -c ${program} -n __fish_use_subcommand -a ${word} -d ${summary(word)}`
    ),
    ...[...seconds].flatMap(([first, words]) =>
      words.map((word) =>
        `complete -c ${program} -n ${quoted(`__fish_seen_subcommand_from ${first}`)} -a ${word} ` +
        `-d ${summary(`${first} ${word}`)}`
      )
    ),
    ...Object.entries(commands).flatMap(([name, command]) =>
      Object.entries(optionsOf(command)).map(([key, spec]) => option(name, key, spec))
    ),
  ].join("\n");
}

const SHELLS: Readonly<Record<string, (program: string, commands: Commands) => string>> = {
  bash,
  zsh,
  fish,
};

/**
 * The command.
 *
 * @param commands all there are
 */
export function completionsCommand(program: string, commands: () => Commands): Command {
  return {
    summary: "Print what bash, zsh or fish need to complete command lines.",
    permissions: "",
    usage: "bash|zsh|fish",
    positionals: ["bash, zsh or fish"],
    options: {},
    notes: `For this session, and for all (bash, zsh, fish):
  source <(${program} completions bash)
  ${program} completions bash > ~/.local/share/bash-completion/completions/${program}
  ${program} completions zsh > "\${fpath[1]}/_${program}"
  ${program} completions fish > ~/.config/fish/completions/${program}.fish`,
    run(args) {
      const [shell] = args.positionals as [string];
      if (!Object.hasOwn(SHELLS, shell)) {
        throw new UsageError(`completions: expected bash, zsh or fish, got "${shell}"`);
      }
      print(SHELLS[shell]!(program, commands()));
      return Promise.resolve();
    },
  };
}
