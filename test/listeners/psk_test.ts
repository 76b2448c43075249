// Listeners with pre-shared keys, where the runtime has them, met by Mosquitto's own clients: which
// keys open them, who a client is then, and that a reload changes the keys. Where there are none,
// the start is refused: tls_faults_test.ts.

import { assertEquals, assertMatch } from "@std/assert";
import { test } from "../harness.ts";
import { runtimeName } from "../support/current_runtime.ts";
import { skipWithout } from "../support/foreign.ts";
import { MidgeProcess, PROCESS_TEST } from "../support/midge_process.ts";
import { Reloads } from "../support/reload.ts";
import { at, passedOn, passOn, TOOLS, tryToPublish } from "../support/tool_clients.ts";

const CONFIG = `
allow_anonymous false
psk_file $DIR/keys
listener $PORT1 127.0.0.1
psk_hint who are you
listener_allow_anonymous true
listener $PORT2 127.0.0.1
psk_hint who are you
use_identity_as_username true
listener $PORT3 127.0.0.1
psk_hint who are you
ciphers PSK-AES256-CBC-SHA384
listener_allow_anonymous true
`;

const KEYS = "meter:0123abcd\nsecond meter:00ff00ff00ff00ff\n";

test(
  "Pre-shared keys let in who knows one, and can tell who that is",
  {
    ...PROCESS_TEST,
    skip: runtimeName === "node" ? skipWithout(...TOOLS) : "only Node has pre-shared keys",
  },
  () =>
    MidgeProcess.with({ config: Reloads.first(CONFIG), files: { keys: KEYS } }, async (midge) => {
      const [port, namedPort, cipherPort] = midge.ports as [number, number, number];
      const by = (to: number, identity: string, psk: string): string[] => [
        ...at(to),
        ...["--psk-identity", identity, "--psk", psk],
      ];
      const isLetIn = async (where: readonly string[]): Promise<boolean> =>
        (await tryToPublish("x", "x", where)).code === 0;

      assertEquals(midge.lines.includes("TLS-PSK support available."), true);
      const good = by(port, "meter", "0123abcd");
      assertEquals(await passOn("psk", good), passedOn("psk"));
      const [negotiated] = await midge.found(/^.* negotiated .*$/, 1);
      assertMatch(negotiated!, /^Client \S+ negotiated TLSv1\.2 cipher \S*PSK\S*$/);
      const refused = [
        by(port, "meter", "0123abce"),
        by(port, "meter", "01"),
        by(port, "stranger", "0123abcd"),
        by(namedPort, "second meter", "0123abcd"),
        // No key at all.
        at(port),
      ];
      for (const where of refused) assertEquals([where, await isLetIn(where)], [where, false]);

      // The identity is a name, and proof enough where nobody is let in without one.
      const named = [...by(namedPort, "second meter", "00ff00ff00ff00ff"), "-i", "named"];
      assertEquals(await isLetIn(named), true);
      await midge.logged(/^New client connected from \S+ as named \(p4, .*, u'second meter'\)\.$/);

      const picked = [...by(cipherPort, "meter", "0123abcd"), "-i", "picked"];
      assertEquals(await isLetIn(picked), true);
      await midge.logged("Client picked negotiated TLSv1.2 cipher PSK-AES256-CBC-SHA384");

      await midge.write("keys", "meter:beef\n");
      await new Reloads(midge).apply(CONFIG);
      assertEquals(
        [
          await isLetIn(good),
          await isLetIn(by(port, "meter", "beef")),
          await isLetIn(named),
        ],
        [false, true, false],
      );
      assertEquals(/0123abcd|00ff00ff|beef/.test(midge.stderr), false);
    }),
);
