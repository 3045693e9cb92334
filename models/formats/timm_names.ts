/** timm's names of tensors, as torchvision's. */

/** For names without their ends: the name in torchvision of a module; undefined for one it has not. */
type Rename = (module: string) => string | undefined;

/** Renames of modules by a table. */
const table = (names: Readonly<Record<string, string>>): Rename => (module) =>
  Object.hasOwn(names, module) ? names[module] : undefined;

/** Which parts a block has, by the names of all tensors: `blocks.2.1` has `conv_pw`, `bn1`, `se` ... */
function blocksOf(names: Iterable<string>): Map<string, Set<string>> {
  const blocks = new Map<string, Set<string>>();
  for (const name of names) {
    const [, block, part] = /^blocks\.(\d+\.\d+)\.([^.]+)/.exec(name) ?? [];
    if (block === undefined) continue;
    if (!blocks.has(block)) blocks.set(block, new Set());
    blocks.get(block)!.add(part!);
  }
  const place = (block: string) => {
    const [stage, index] = block.split(".").map(Number) as [number, number];
    return stage * 1000 + index;
  };
  return new Map([...blocks].sort(([a], [b]) => place(a) - place(b)));
}

/** Where the parts of a block are in torchvision's list; `j` is the last of them. */
function partsOf(parts: ReadonlySet<string>): Record<string, string> {
  const gate = parts.has("se");
  if (parts.has("conv_exp")) {
    return { conv_exp: "0.0", bn1: "0.1", conv_pwl: "1.0", bn2: "1.1" };
  }
  if (parts.has("conv")) return { conv: "0.0", bn1: "0.1" };
  if (!parts.has("conv_pwl")) {
    const j = gate ? 2 : 1;
    return { conv_dw: "0.0", bn1: "0.1", se: "1", conv_pw: `${j}.0`, bn2: `${j}.1` };
  }
  const j = gate ? 3 : 2;
  return {
    ...{ conv_pw: "0.0", bn1: "0.1", conv_dw: "1.0", bn2: "1.1", se: "2" },
    ...{ conv_pwl: `${j}.0`, bn3: `${j}.1` },
  };
}

/** `se.conv_reduce` and `se.conv_expand` are `fc1` and `fc2` there. */
function squeezed(rest: string): string {
  return rest.replace(/^se\.conv_reduce/, "fc1").replace(/^se\.conv_expand/, "fc2");
}

/**
 * Networks that timm builds of blocks of one vocabulary.
 *
 * @param outer The modules before and behind the blocks.
 * @param inner Where a part of a block is, given the block's stage, its number in that, its number
 * among all from 1, and its parts.
 */
function blockwise(
  names: Iterable<string>,
  outer: (blocks: number, stages: number) => Readonly<Record<string, string>>,
  inner: (
    block: { stage: number; index: number; n: number; parts: ReadonlySet<string> },
  ) => { prefix: string; parts: Readonly<Record<string, string>> },
): Rename {
  const blocks = blocksOf(names);
  const order = [...blocks.keys()];
  const stages = new Set(order.map((block) => block.split(".")[0])).size;
  const around = outer(order.length, stages);
  return (module) => {
    const [, block, rest] = /^blocks\.(\d+\.\d+)\.(.+)$/.exec(module) ?? [];
    if (block === undefined) return table(around)(module);
    const [stage, index] = block.split(".").map(Number) as [number, number];
    const parts = blocks.get(block);
    if (!parts) return undefined;
    const { prefix, parts: places } = inner({ stage, index, n: order.indexOf(block) + 1, parts });
    const [part] = rest!.split(".");
    if (!Object.hasOwn(places, part!)) return undefined;
    const tail = part === "se" ? `.${squeezed(rest!)}` : "";
    return `${prefix}${places[part!]}${tail}`;
  };
}

const VGG = table({
  "pre_logits.fc1": "classifier.0",
  "pre_logits.fc2": "classifier.3",
  "head.fc": "classifier.6",
});

function mobilenetV2(names: Iterable<string>): Rename {
  return blockwise(
    names,
    (blocks) => ({
      ...{ conv_stem: "features.0.0", bn1: "features.0.1", classifier: "classifier.1" },
      ...{ conv_head: `features.${blocks + 1}.0`, bn2: `features.${blocks + 1}.1` },
    }),
    ({ n, parts }) => ({
      prefix: `features.${n}.conv.`,
      parts: parts.has("conv_pwl")
        ? { conv_pw: "0.0", bn1: "0.1", conv_dw: "1.0", bn2: "1.1", conv_pwl: "2", bn3: "3" }
        : { conv_dw: "0.0", bn1: "0.1", conv_pw: "1", bn2: "2" },
    }),
  );
}

function mobilenetV3(names: Iterable<string>): Rename {
  return blockwise(
    names,
    () => ({
      ...{ conv_stem: "features.0.0", bn1: "features.0.1" },
      ...{ conv_head: "classifier.0", classifier: "classifier.3" },
    }),
    ({ n, parts }) =>
      parts.has("conv")
        ? { prefix: `features.${n}.`, parts: { conv: "0", bn1: "1" } }
        : { prefix: `features.${n}.block.`, parts: partsOf(parts) },
  );
}

function efficientNet(names: Iterable<string>): Rename {
  return blockwise(
    names,
    (_, stages) => ({
      ...{ conv_stem: "features.0.0", bn1: "features.0.1", classifier: "classifier.1" },
      ...{ conv_head: `features.${stages + 1}.0`, bn2: `features.${stages + 1}.1` },
    }),
    ({ stage, index, parts }) => ({
      prefix: `features.${stage + 1}.${index}.block.`,
      parts: partsOf(parts),
    }),
  );
}

function mnasNet(names: Iterable<string>): Rename {
  return blockwise(
    names,
    () => ({
      ...{ conv_stem: "layers.0", bn1: "layers.1", classifier: "classifier.1" },
      ...{ conv_head: "layers.14", bn2: "layers.15" },
    }),
    ({ stage, index }) =>
      stage === 0
        ? { prefix: "layers.", parts: { conv_dw: "3", bn1: "4", conv_pw: "6", bn2: "7" } }
        : {
          prefix: `layers.${7 + stage}.${index}.layers.`,
          parts: { conv_pw: "0", bn1: "1", conv_dw: "3", bn2: "4", conv_pwl: "6", bn3: "7" },
        },
  );
}

/** timm's names, and those in the files of ConvNeXt's authors. */
const convNext: Rename = (module) => {
  const known = table({
    ...{ "stem.0": "features.0.0", "stem.1": "features.0.1" },
    ...{ "downsample_layers.0.0": "features.0.0", "downsample_layers.0.1": "features.0.1" },
    ...{ "head.norm": "classifier.0", "head.fc": "classifier.2" },
    ...{ norm: "classifier.0", head: "classifier.2" },
  })(module);
  if (known) return known;
  const down = /^(?:stages\.(\d)\.downsample|downsample_layers\.(\d))\.([01])$/.exec(module);
  if (down) return `features.${2 * Number(down[1] ?? down[2])}.${down[3]}`;
  const [, stage, block, part] = /^stages\.(\d)\.(?:blocks\.)?(\d+)(?:\.(.+))?$/.exec(module) ?? [];
  if (stage === undefined) return undefined;
  const prefix = `features.${2 * Number(stage) + 1}.${block}`;
  if (part === undefined) return prefix;
  const places: Readonly<Record<string, string>> = {
    ...{ conv_dw: "block.0", norm: "block.2", "mlp.fc1": "block.3", "mlp.fc2": "block.5" },
    ...{ dwconv: "block.0", pwconv1: "block.3", pwconv2: "block.5" },
  };
  return Object.hasOwn(places, part) ? `${prefix}.${places[part]}` : undefined;
};

const regNet: Rename = (module) => {
  const known = table({ "stem.conv": "stem.0", "stem.bn": "stem.1", "head.fc": "fc" })(module);
  if (known) return known;
  const [, stage, block, part] = /^s(\d)\.b(\d+)\.(.+)$/.exec(module) ?? [];
  if (stage === undefined) return undefined;
  const prefix = `trunk_output.block${stage}.block${stage}-${Number(block) - 1}`;
  const place = table({
    ...{ "conv1.conv": "f.a.0", "conv1.bn": "f.a.1", "conv2.conv": "f.b.0", "conv2.bn": "f.b.1" },
    ...{ "conv3.conv": "f.c.0", "conv3.bn": "f.c.1", "se.fc1": "f.se.fc1", "se.fc2": "f.se.fc2" },
    ...{ "downsample.conv": "proj.0", "downsample.bn": "proj.1" },
  })(part!);
  return place && `${prefix}.${place}`;
};

/** By the beginning of a network's name, and a tensor that only timm's files have. */
const FAMILIES: readonly (readonly [
  model: RegExp,
  sign: string,
  rename: (names: readonly string[]) => Rename,
])[] = [
  [/^vgg/, "pre_logits.fc1.weight", () => VGG],
  [/^mobilenet_v2/, "conv_stem.weight", mobilenetV2],
  [/^mobilenet_v3/, "conv_stem.weight", mobilenetV3],
  [/^efficientnet/, "conv_stem.weight", efficientNet],
  [/^mnasnet/, "conv_stem.weight", mnasNet],
  [/^convnext/, "stages.0.blocks.0.conv_dw.weight", () => convNext],
  [/^convnext/, "stages.0.0.dwconv.weight", () => convNext],
  [/^regnet/, "s1.b1.conv1.conv.weight", () => regNet],
];

/** Ends of tensors' names that say which of a module's tensors it is. */
const ENDS = /\.(weight|bias|running_mean|running_var|num_batches_tracked|gamma)$/;

/**
 * The names in torchvision of a file's tensors, if they are timm's names of that network.
 *
 * @param model The network's name.
 * @param names The names, perhaps all with the same words before them.
 * @returns From torchvision's name to the file's; undefined if the names are not timm's.
 */
export function fromTimm(
  model: string,
  names: readonly string[],
): ReadonlyMap<string, string> | undefined {
  for (const [family, sign, rename] of FAMILIES) {
    const signed = family.test(model) && names.find((name) => `.${name}`.endsWith(`.${sign}`));
    if (!signed) continue;
    const prefix = signed.slice(0, signed.length - sign.length);
    const own = names.filter((name) => name.startsWith(prefix));
    const bare = own.map((name) => name.slice(prefix.length));
    const renamed = rename(bare);
    const found = new Map<string, string>();
    bare.forEach((name, i) => {
      const end = ENDS.exec(name)?.[1];
      if (end === undefined) return;
      const module = renamed(name.slice(0, -end.length - 1));
      const key = end === "gamma"
        ? module && `${module}.layer_scale`
        : module && `${module}.${end}`;
      found.set(key ?? name, own[i]!);
    });
    return found;
  }
  return undefined;
}
