// The store that forgets, held to what every store promises.

import { MemoryStore } from "../../src/store/memory_store.ts";
import { storeSuite } from "../contract/store_contract.ts";

storeSuite({
  name: "MemoryStore",
  open: () => Promise.resolve(new MemoryStore()),
  reopen: (store) => Promise.resolve(store),
  release: () => Promise.resolve(),
});
