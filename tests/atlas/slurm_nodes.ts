/** A Slurm of two nodes on one machine, each with one processor: for root on Debian with slurm-wlm and munge. */
import { join } from "node:path";

/** Runs a program; what it printed. */
async function call(program: string, args: string[], env: Record<string, string> = {}) {
  const command = new Deno.Command(program, { args, env, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${text(stderr) || text(stdout)}`);
  return text(stdout);
}

function isThere(program: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":").concat("/usr/sbin");
  return folders.some((folder) => {
    try {
      return Deno.statSync(join(folder, program)).isFile;
    } catch {
      return false;
    }
  });
}

/** Why there can be no Slurm here; nothing if there can. */
export function noSlurm(): string | undefined {
  const missing = ["slurmctld", "slurmd", "sbatch", "munged"].filter((name) => !isThere(name));
  if (missing.length > 0) return `${missing.join(", ")} not here: apt-get install slurm-wlm munge`;
  return Deno.uid() === 0 ? undefined : "its daemons are started by root only";
}

/** The nodes' names. */
export const NODES = ["n1", "n2"] as const;

/** A Slurm that runs until it is disposed of. */
export class Slurm implements AsyncDisposable {
  readonly #folder: string;
  readonly #env: Record<string, string>;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#env = { SLURM_CONF: join(folder, "slurm.conf") };
  }

  /** Starts one whose files are in a folder. */
  static async start(folder: string): Promise<Slurm> {
    const slurm = new Slurm(folder);
    await slurm.#begin();
    return slurm;
  }

  async #begin(): Promise<void> {
    const folder = this.#folder;
    const host = Deno.hostname();
    for (const each of ["state", "run", "munge"]) {
      await Deno.mkdir(join(folder, each), { recursive: true });
    }
    // munged wants a key, a socket and a log of its own that nobody else can write.
    const munge = join(folder, "munge");
    await Deno.writeFile(join(munge, "key"), crypto.getRandomValues(new Uint8Array(1024)), {
      mode: 0o400,
    });
    await Deno.chmod(munge, 0o755);
    await Deno.chmod(folder, 0o755);
    await call("munged", [
      ...[`--key-file=${munge}/key`, `--socket=${munge}/socket`, `--pid-file=${munge}/pid`],
      ...[`--log-file=${munge}/log`, `--seed-file=${munge}/seed`, "--force"],
    ]);
    const lines = [
      ...["ClusterName=trial", `SlurmctldHost=${host}(127.0.0.1)`],
      ...["AuthType=auth/munge", `AuthInfo=socket=${munge}/socket`, "CredType=cred/munge"],
      ...["SlurmUser=root", "SlurmdUser=root"],
      ...[`StateSaveLocation=${folder}/state`, `SlurmdSpoolDir=${folder}/spool-%n`],
      ...[`SlurmctldPidFile=${folder}/run/ctld.pid`, `SlurmdPidFile=${folder}/run/%n.pid`],
      ...[`SlurmctldLogFile=${folder}/ctld.log`, `SlurmdLogFile=${folder}/%n.log`],
      ...["SlurmctldPort=17100", "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none"],
      ...["SelectType=select/cons_tres", "SchedulerType=sched/backfill", "ReturnToService=2"],
      // An element that is queued again waits no two minutes here.
      ...["SchedulerParameters=requeue_delay=2,sched_interval=5", "KillWait=30"],
      ...NODES.map((node, i) =>
        `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${17101 + i} CPUs=1`
      ),
      "PartitionName=trial Nodes=ALL Default=YES MaxTime=INFINITE State=UP",
    ];
    await Deno.writeTextFile(join(folder, "slurm.conf"), lines.join("\n") + "\n");
    // The controller asks for the address of its own name.
    const hosts = await Deno.readTextFile("/etc/hosts");
    if (!hosts.includes(host)) {
      await Deno.writeTextFile("/etc/hosts", `127.0.0.1 ${host}\n`, { append: true });
    }
    await this.run("slurmctld", []);
    for (const node of NODES) await this.run("slurmd", ["-N", node]);
    for (let tries = 0; tries < 60; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const states = await this.run("sinfo", ["-h", "-o", "%T"]).catch(() => "");
      if (states === "idle") return;
    }
    throw new Error(`the nodes did not come up: ${await this.run("sinfo", [])}`);
  }

  /** Runs one of Slurm's programs; what it printed. */
  async run(program: string, args: string[]): Promise<string> {
    return await call(program, args, this.#env);
  }

  /** Stops everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("scancel", ["-u", "root"]).catch(() => {});
    // What ends jobs outlives the daemons if these are stopped before.
    for (let tries = 0; tries < 80; tries++) {
      if (await this.run("squeue", ["-h"]).catch(() => "") === "") break;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    await this.run("scontrol", ["shutdown"]).catch(() => {});
    const pid = Number(
      await Deno.readTextFile(join(this.#folder, "munge", "pid")).catch(() => "0"),
    );
    if (pid > 0) Deno.kill(pid);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
