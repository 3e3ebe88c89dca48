// Stands between workerd and the compiled Worker: after a panic its instance is made anew, and with it every object.
import { WorkerEntrypoint } from "cloudflare:workers";
import * as compiled from "./index.js";

Error.stackTraceLimit = 100;

/** What the compiled Worker and this file both know: whether it has panicked, and the number of its instance. */
const state = compiled.__worker_init_state();

function startAnew() {
  if (!state.criticalError) return;
  compiled.__wbg_reset_state();
  state.criticalError = false;
  state.instanceId++;
}

/** A trap leaves the memory of the instance as it stood in the middle of things. */
function note(error) {
  if (error instanceof WebAssembly.RuntimeError) state.criticalError = true;
}

addEventListener("error", (event) => note(event.error));

function rethrow(error) {
  note(error);
  throw error;
}

/** A call into the compiled Worker, which may trap at once or later. */
const call = {
  apply(method, self, args) {
    startAnew();
    try {
      const result = Reflect.apply(method, self, args);
      return result instanceof Promise ? result.catch(rethrow) : result;
    } catch (error) {
      return rethrow(error);
    }
  },
};

/** Whatever is done to an object goes to the one that was built last; one of the present instance is built when it is read. */
const object = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((deed) => [
    deed,
    (made, ...args) => Reflect[deed](made.object, ...args),
  ]),
);
object.get = (made, name, receiver) => {
  if (made.instanceId !== state.instanceId) {
    made.object = made.build();
    made.instanceId = state.instanceId;
  }
  const value = Reflect.get(made.object, name, receiver);
  return typeof value === "function" ? new Proxy(value, call) : value;
};

/** A class whose objects outlive the instance that they were made in. */
export function lasting(type) {
  return new Proxy(type, {
    construct(type, args, target) {
      startAnew();
      const build = () => Reflect.construct(type, args, target);
      try {
        return new Proxy({ build, object: build(), instanceId: state.instanceId }, object);
      } catch (error) {
        state.criticalError = true;
        throw error;
      }
    },
  });
}

/** The class of the Worker itself, with these handlers of events. */
export function entrypoint(handlers) {
  class Entrypoint extends WorkerEntrypoint {}
  for (const [name, handle] of Object.entries(handlers)) {
    Entrypoint.prototype[name] = function (event) {
      return handle.call(this, event, this.env, this.ctx);
    };
  }
  return lasting(Entrypoint);
}
