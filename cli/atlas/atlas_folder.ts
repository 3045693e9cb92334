/** The folder of an atlas: its plan, its list of jobs, and what is done of it. */
import { join, relative, resolve } from "node:path";
import { jobsOf } from "../../atlas/plan.ts";
import type { Job, Plan } from "../../atlas/plan.ts";
import { writeInPiecesSync, writeWholeSync } from "../../base/atomic_file.ts";
import { UserError } from "../../base/errors.ts";
import { isObject } from "../../vis/report/manifest.ts";

/** An atlas whose plan was read. */
export interface Atlas {
  /** Its folder. */
  readonly folder: string;
  readonly plan: Plan;
  readonly jobs: readonly Job[];
}

/** What the atlas's file of jobs is called. */
const JOBS = "jobs.jsonl";

/** Jobs that are written at a time. */
const LINES = 1000;

/** A path as the plan has it, seen from the atlas's folder: both can be moved, or mounted elsewhere. */
export function fromAtlas(folder: string, path: string): string {
  return relative(resolve(folder), resolve(path)) || ".";
}

/** A path of the plan, seen from here. */
export function fromHere(folder: string, path: string): string {
  return resolve(folder, path);
}

/** Writes a plan and its jobs. */
export function writePlan(folder: string, plan: Plan): Job[] {
  const jobs = jobsOf(plan);
  const names = new Set<string>();
  for (const { name } of jobs) {
    if (names.has(name)) {
      throw new UserError(`the plan asks twice for ${name}; say each thing once`);
    }
    names.add(name);
  }
  function* pieces() {
    for (let at = 0; at < jobs.length; at += LINES) {
      const lines = jobs.slice(at, at + LINES).map((job) => JSON.stringify(job) + "\n");
      yield new TextEncoder().encode(lines.join(""));
    }
  }
  writeInPiecesSync(join(folder, JOBS), pieces());
  writeWholeSync(join(folder, "plan.json"), JSON.stringify(plan, null, 1) + "\n");
  return jobs;
}

/**
 * Reads a plan and its jobs.
 *
 * @throws {UserError} when there is none.
 */
export function readAtlas(folder: string): Atlas {
  const read = (name: string) => {
    try {
      return Deno.readTextFileSync(join(folder, name));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        throw new UserError(`${join(folder, name)} cannot be read: ${(error as Error).message}`);
      }
      throw new UserError(`${folder} holds no atlas: there is no ${name}; plan one first`);
    }
  };
  const wrong = (name: string) => new UserError(`${join(folder, name)} is not of an atlas`);
  let plan: unknown;
  try {
    plan = JSON.parse(read("plan.json"));
  } catch (error) {
    if (error instanceof UserError) throw error;
  }
  if (!isObject(plan) || typeof plan.format !== "number") throw wrong("plan.json");
  if (plan.format > 1) {
    throw new UserError(`${folder} is an atlas of a newer mindseye (format ${plan.format})`);
  }
  const lines = read(JOBS).split("\n").filter((line) => line !== "");
  try {
    return { folder, plan: plan as unknown as Plan, jobs: lines.map((line) => JSON.parse(line)) };
  } catch {
    throw wrong(JOBS);
  }
}
