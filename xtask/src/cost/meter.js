// Stands between workerd and the built Worker, and tells the log of all that the platform bills: requests, events of objects
// and how long they took, objects that were made, rows, and alarms that were set. The Worker itself is as it is deployed.
import Worker, * as compiled from "./index.js";

const EVENTS = ["fetch", "webSocketMessage", "webSocketClose", "webSocketError", "alarm"];

/** Which object a context or its storage is of. */
const owners = new WeakMap();

/** Cursors whose rows were not counted yet. */
let cursors = [];

function tell(what, ...more) {
  console.log(["meter", what, ...more].join(" "));
}

function patch(native, name, before, after = (result) => result) {
  const prototype = Object.getPrototypeOf(native);
  const method = prototype[name];
  if (method.metered) return;
  prototype[name] = function (...args) {
    return after(method.apply(this, before(this, args)));
  };
  prototype[name].metered = true;
}

function rows() {
  let [read, written] = [0, 0];
  for (const cursor of cursors) {
    read += cursor.rowsRead;
    written += cursor.rowsWritten;
  }
  cursors = [];
  return [read, written];
}

async function timed(name, id, kind, work) {
  const from = Date.now();
  try {
    return await work();
  } finally {
    tell("event", name, id, kind, from, Date.now(), ...rows());
  }
}

function metered(name, type) {
  return new Proxy(type, {
    construct(type, [ctx, env], target) {
      const id = ctx.id.toString();
      for (const native of [ctx, ctx.storage]) owners.set(native, [name, id]);
      patch(ctx, "waitUntil", (self, [work]) => {
        timed(...owners.get(self), "waiting", () => work).catch(() => {});
        return [work];
      });
      patch(ctx.storage, "setAlarm", (self, args) => (tell("alarm-set", owners.get(self)[0]), args));
      patch(
        ctx.storage.sql,
        "exec",
        (_, args) => args,
        (cursor) => (cursors.push(cursor), cursor),
      );
      tell("made", name, id);
      const object = Reflect.construct(type, [ctx, env], target);
      return new Proxy(object, {
        get(object, key) {
          const value = Reflect.get(object, key);
          if (!EVENTS.includes(key) || typeof value !== "function") return value;
          return (...args) => timed(name, id, key, () => value.apply(object, args));
        },
      });
    },
  });
}

export default new Proxy(Worker, {
  construct(type, args, target) {
    const worker = Reflect.construct(type, args, target);
    return new Proxy(worker, {
      get(worker, key) {
        const value = Reflect.get(worker, key);
        if (key !== "fetch") return value;
        return (request) => (tell("request"), value.call(worker, request));
      },
    });
  },
});

export const DeveloperObject = metered("DeveloperObject", compiled.DeveloperObject);
export const DirectoryObject = metered("DirectoryObject", compiled.DirectoryObject);
export const LimiterObject = metered("LimiterObject", compiled.LimiterObject);
export const MetricsObject = metered("MetricsObject", compiled.MetricsObject);
export const RegionObject = metered("RegionObject", compiled.RegionObject);
export const RoomObject = metered("RoomObject", compiled.RoomObject);
export const UserObject = metered("UserObject", compiled.UserObject);
