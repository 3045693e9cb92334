/** `atlas k8s`: a manifest that has Kubernetes do an atlas. */
import { dirname, resolve } from "node:path";
import { type Arguments, type Command, UsageError } from "../shared/options.ts";
import { print } from "../shared/progress.ts";
import { programWords } from "./program.ts";

/** The command. */
export const atlasK8sCommand: Command = {
  summary: "Write a Kubernetes Job for an atlas: its pods take jobs until none is left.",
  permissions: "--allow-read",
  usage: "ATLAS --image IMAGE --claim NAME [options] > atlas.json",
  positionals: ["ATLAS, the folder of the atlas as pods see it"],
  options: {
    image: { type: "string", value: "IMAGE", help: "Container image that holds the program" },
    claim: {
      type: "string",
      value: "NAME",
      help: "Persistent volume claim (ReadWriteMany) with the atlas, its photos and weights",
    },
    mount: {
      type: "string",
      value: "PATH",
      help: "Where pods have that volume (default: the folder that the atlas is in)",
    },
    pods: { type: "string", value: "N", help: "Pods (4)" },
    name: { type: "string", value: "NAME", help: "Name of the Job (atlas)" },
    limit: {
      type: "string",
      multiple: true,
      value: "RESOURCE=AMOUNT",
      help: "What a pod gets, such as nvidia.com/gpu=1 or memory=8Gi; again for more",
    },
    program: {
      type: "string",
      value: "COMMAND",
      help: "How to start the program in the container (mindseye)",
    },
    patience: { type: "string", value: "SECONDS", help: "As of atlas run" },
  },
  notes: `Submit it with: kubectl apply -f atlas.json

An indexed Job: each pod is one process on one device and takes one job of the atlas after the other.
A pod that is evicted has time to save (a minute) and is started again; what a lost node had is gone on
with by the others.`,

  run(args: Arguments) {
    const [folder] = args.positionals as [string];
    const [image, claim] = ["image", "claim"].map((name) => {
      const value = args.text(name);
      if (value === undefined || value === "") throw new UsageError(`atlas k8s: missing --${name}`);
      return value;
    }) as [string, string];
    const name = args.text("name") ?? "atlas";
    if (!/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/.test(name)) {
      throw new UsageError(`--name: expected small letters, digits and hyphens, got "${name}"`);
    }
    const limits = Object.fromEntries(
      args.list("limit").map((text) => {
        const [, resource, amount] = /^([\w./-]+)=([\w.]+)$/.exec(text) ?? [];
        if (resource === undefined) {
          throw new UsageError(`--limit: expected such as nvidia.com/gpu=1, got "${text}"`);
        }
        return [resource, amount!];
      }),
    );
    const atlas = resolve(folder);
    const job = k8sJob({
      atlas,
      image,
      claim,
      name,
      limits,
      mount: args.text("mount") ?? dirname(atlas),
      pods: args.integer("pods", { min: 1, max: 100_000 }) ?? 4,
      program: programWords(args.text("program") ?? "mindseye"),
      patience: args.integer("patience", { min: 1, max: 86400 }),
    });
    print(JSON.stringify(job, null, 2));
    return Promise.resolve();
  },
};

/** What a Job is to be. */
export interface K8sOptions {
  /** The atlas as pods see it. */
  readonly atlas: string;
  readonly image: string;
  readonly claim: string;
  readonly name: string;
  readonly limits: Readonly<Record<string, string>>;
  readonly mount: string;
  readonly pods: number;
  /** How the program is started. */
  readonly program: readonly string[];
  readonly patience?: number | undefined;
}

/** Seconds that a pod has to save. */
const GRACE = 60;

/** How often a pod that failed is started again. */
const TRIES = 6;

/** The Job. */
export function k8sJob(
  { atlas, image, claim, name, limits, mount, pods, program, patience }: K8sOptions,
) {
  const run = [
    ...[...program, "atlas", "run", atlas],
    ...(patience === undefined ? [] : ["--patience", `${patience}`]),
  ];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: {
      completionMode: "Indexed",
      completions: pods,
      parallelism: pods,
      backoffLimitPerIndex: TRIES,
      // That a node is drained or wanted by others is no failure of the pod's.
      podFailurePolicy: {
        rules: [{
          action: "Ignore",
          onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
        }],
      },
      template: {
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: GRACE,
          containers: [{
            name: "atlas",
            image,
            command: run,
            // Nothing is to be kept in the container itself.
            env: [{ name: "XDG_CACHE_HOME", value: "/tmp" }],
            ...(Object.keys(limits).length === 0 ? {} : { resources: { limits } }),
            volumeMounts: [{ name: "atlas", mountPath: mount }],
          }],
          volumes: [{ name: "atlas", persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  } as const;
}
