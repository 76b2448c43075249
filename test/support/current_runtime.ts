// The runtime that the tests run on, so that each tests its own adapter and no other.

import { currentRuntime, currentRuntimeName } from "../../src/runtime/current.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";

export const runtimeName: Runtime["name"] = currentRuntimeName();

export const runtime: Runtime = await currentRuntime();
