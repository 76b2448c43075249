/**
 * One tab of the example: an MQTT client whose broker is a worker that all tabs share. Who is here
 * is a retained message of each tab, which its Will takes away when the tab closes; the lamp is one
 * retained message; what people say has QoS 1.
 *
 * @module
 */
/// <reference lib="dom" />

import { Client, type ClientEvent, dialPort, type Message } from "../../client_web.ts";

interface Tab {
  readonly name: string;
  readonly hue: number;
}

const ANIMALS = ["Otter", "Heron", "Lynx", "Badger", "Finch", "Newt", "Hare", "Marten", "Wren"];
const LOG_LINES = 14;
const DEFAULT_HUE = 45;

const id = crypto.randomUUID().slice(0, 8);
const me: Tab = {
  name: ANIMALS[Math.floor(Math.random() * ANIMALS.length)]!,
  hue: Math.floor(Math.random() * 360),
};
const tabs = new Map<string, Tab>();
const decoder = new TextDecoder();

const client = new Client(
  dialPort(() => new SharedWorker("broker.js", { type: "module", name: "midge" }).port),
  {
    clientId: `tab-${id}`,
    // Timers of a hidden tab come up to a minute late.
    keepAlive: 180,
    will: { topic: `tabs/${id}`, payload: "", qos: 1, retain: true },
    onMessage: show,
    onEvent: showState,
  },
);

function element<T extends HTMLElement = HTMLElement>(name: string): T {
  return document.getElementById(name) as T;
}

function show(message: Message): void {
  const { topic } = message;
  const text = decoder.decode(message.payload);
  if (topic.startsWith("tabs/")) showTab(topic.slice("tabs/".length), text);
  else if (topic === "lamp") showLamp(Number(text));
  else if (topic === "chat") say(JSON.parse(text));
  log(message, text);
}

function showTab(who: string, text: string): void {
  if (text === "") tabs.delete(who);
  else tabs.set(who, JSON.parse(text));
  element("tabs").replaceChildren(
    ...[...tabs].sort().map(([key, { name, hue }]) => {
      const item = document.createElement("li");
      item.style.setProperty("--hue", String(hue));
      item.textContent = key === id ? `${name} (this tab)` : name;
      return item;
    }),
  );
  element("count").textContent = tabs.size === 1 ? "1 tab" : `${tabs.size} tabs`;
}

function showLamp(hue: number): void {
  element("lamp").style.setProperty("--hue", String(hue));
  element<HTMLInputElement>("hue").value = String(hue);
}

function say({ name, hue, text }: Tab & { readonly text: string }): void {
  const item = document.createElement("li");
  const who = document.createElement("b");
  who.style.setProperty("--hue", String(hue));
  who.textContent = name;
  item.append(who, ` ${text}`);
  element("chat").append(item);
  item.scrollIntoView({ block: "nearest" });
}

function log({ topic, qos, retain }: Message, text: string): void {
  const row = document.createElement("tr");
  const words = [
    topic,
    text === "" ? "(nothing)" : text,
    `QoS ${qos}${retain ? ", retained" : ""}`,
  ];
  row.append(...words.map((word) => {
    const cell = document.createElement("td");
    cell.textContent = word;
    return cell;
  }));
  const rows = element("log");
  rows.prepend(row);
  while (rows.children.length > LOG_LINES) rows.lastElementChild!.remove();
}

function showState({ kind }: ClientEvent): void {
  element("state").textContent = kind;
  document.body.dataset["state"] = kind;
}

element("open").addEventListener("click", () => globalThis.open(location.href));
element("hue").addEventListener("input", () => {
  // What is not on its way yet is worth nothing once there is a newer one.
  if (client.hasRoom) {
    client.publish("lamp", element<HTMLInputElement>("hue").value, { retain: true });
  }
});
element<HTMLFormElement>("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = element<HTMLInputElement>("text");
  if (text.value !== "") {
    void client.publish("chat", JSON.stringify({ ...me, text: text.value }), { qos: 1 });
  }
  text.value = "";
});

element("name").textContent = `${me.name} (tab-${id})`;
document.title = `${me.name} · Midge in a browser`;
showLamp(DEFAULT_HUE);
await client.open();
await client.subscribe("#", { qos: 1 });
await client.publish(`tabs/${id}`, JSON.stringify(me), { qos: 1, retain: true });
