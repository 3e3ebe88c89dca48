// What an account has for its programs: keys to the API and webhooks, for pages on which their owner keeps them.
import type { RequestOptions } from "./entrance.ts";
import type {
  ApiKey,
  ApiKeyList,
  ChangeEndpointRequest,
  CreatedKey,
  CreateEndpointRequest,
  CreateKeyRequest,
  Delivery,
  DeliveryList,
  Endpoint,
  EndpointList,
  EndpointSecret,
} from "./generated/protocol.ts";

/** Sends a request of who is signed in. */
export type Authorized = <T>(
  method: string,
  path: string,
  body: unknown,
  options?: RequestOptions,
) => Promise<T>;

/** Keys and webhooks of who is signed in. */
export class Developer {
  readonly #send: Authorized;

  constructor(send: Authorized) {
    this.#send = send;
  }

  /** The latest first. */
  async keys(options?: RequestOptions): Promise<ApiKey[]> {
    return (await this.#send<ApiKeyList>("GET", "/api/v1/keys", undefined, options)).keys;
  }

  /** The `secret` of the new key is told now and never again. */
  createKey(request: CreateKeyRequest, options?: RequestOptions): Promise<CreatedKey> {
    return this.#send("POST", "/api/v1/keys", request, options);
  }

  /** It opens nothing from now on. */
  async revokeKey(id: string, options?: RequestOptions): Promise<void> {
    await this.#send("DELETE", `/api/v1/keys/${encodeURIComponent(id)}`, undefined, options);
  }

  /** The oldest first. */
  async webhooks(options?: RequestOptions): Promise<Endpoint[]> {
    return (await this.#send<EndpointList>("GET", "/api/v1/webhooks", undefined, options)).webhooks;
  }

  /** Its `secret` is told now and never again. */
  createWebhook(request: CreateEndpointRequest, options?: RequestOptions): Promise<EndpointSecret> {
    return this.#send("POST", "/api/v1/webhooks", request, options);
  }

  changeWebhook(id: string, change: ChangeEndpointRequest, options?: RequestOptions): Promise<Endpoint> {
    return this.#send("PATCH", webhook(id), change, options);
  }

  async deleteWebhook(id: string, options?: RequestOptions): Promise<void> {
    await this.#send("DELETE", webhook(id), undefined, options);
  }

  /** Another secret, told now and never again. The former signs beside it for a day. */
  rotateSecret(id: string, options?: RequestOptions): Promise<EndpointSecret> {
    return this.#send("POST", `${webhook(id)}/secret`, {}, options);
  }

  /** Has something be sent there, to see whether it arrives. */
  testWebhook(id: string, options?: RequestOptions): Promise<Delivery> {
    return this.#send("POST", `${webhook(id)}/test`, {}, options);
  }

  /** What was sent there, the latest first. */
  async deliveries(id: string, options?: RequestOptions): Promise<Delivery[]> {
    const path = `${webhook(id)}/deliveries`;
    return (await this.#send<DeliveryList>("GET", path, undefined, options)).deliveries;
  }
}

function webhook(id: string): string {
  return `/api/v1/webhooks/${encodeURIComponent(id)}`;
}
