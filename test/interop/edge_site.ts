// The Worker as a site: workerd with an object of its own, and before it the relay, because devices
// and most clients speak TCP. What the Worker logs says who has come, subscribed and gone.

import { RelayServer } from "../../src/cli/relay/relay_server.ts";
import { parseRelayFlags } from "../../src/cli/relay/relay_flags.ts";
import { runtime } from "../support/current_runtime.ts";
import { freePorts } from "../support/midge_process.ts";
import { WorkerdProcess } from "../support/workerd_process.ts";
import { noteLine, Site } from "./site.ts";

/** Opens workerd and the relay. */
export async function openEdge(): Promise<Site> {
  const site = new Site("workerd");
  const workerd = await WorkerdProcess.start({
    bindings: { MIDGE_ALLOW_ANONYMOUS: "true", MIDGE_LOG_TYPE: "all" },
    isForgetful: true,
    onLine: (line) => noteLine(site, line),
  });
  try {
    const [port] = await freePorts(1);
    site.port = port!;
    const relay = await startRelay(workerd.url(), site.port);
    site.close = async () => {
      await relay.stop();
      await workerd.discard();
    };
    return site;
  } catch (error) {
    await workerd.discard();
    throw error;
  }
}

async function startRelay(url: string, port: number): Promise<RelayServer> {
  const flags = parseRelayFlags(["--to", url, "--listen", `127.0.0.1:${port}`], "midge relay");
  if (flags.kind !== "run") throw new Error(flags.text);
  const [files, host] = await Promise.all([runtime.files(), runtime.host()]);
  const relay = new RelayServer(flags.settings, { runtime, files, host, log: () => {} });
  await relay.start();
  return relay;
}
