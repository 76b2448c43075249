# The broker as a Worker on a machine of one's own: workerd serve config.capnp
# WebSocket on port 8080, MQTT over TCP on port 1883, what is to be kept in the folder "data".

using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "midge", worker = .midge),
    (name = "data", disk = (path = "data", writable = true)),
  ],
  sockets = [
    (name = "http", address = "*:8080", http = (), service = "midge"),
    (name = "tcp", address = "*:1883", tcp = (), service = "midge"),
  ],
);

const midge :Workerd.Worker = (
  modules = [(name = "midge_worker.js", esModule = embed "../../dist/midge_worker.js")],
  compatibilityDate = "2026-11-01",
  # The key names the objects on the disk: with another one they are not found any more.
  durableObjectNamespaces = [(className = "BrokerObject", uniqueKey = "midge", enableSql = true)],
  durableObjectStorage = (localDisk = "data"),
  bindings = [
    (name = "BROKER", durableObjectNamespace = "BrokerObject"),
    # Options of mosquitto.conf; files are texts.
    (name = "MIDGE_PASSWORD_FILE", text = embed "passwd"),
    (name = "MIDGE_ACL_FILE", text = embed "acl"),
  ],
);
