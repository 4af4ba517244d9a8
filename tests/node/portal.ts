// The example of docs/portal.md, whole: a portal's page that shows tasks and the bell, and asks to be read again.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Status = components["schemas"]["MeStatus"];
export type Notification = components["schemas"]["Notification"];

export class Portal {
  private readonly client;
  private tag: string | undefined;
  private last: Status | undefined;

  /** `token` gives a fresh token from your own backend, which knows who is logged in. */
  constructor(baseUrl: string, token: () => Promise<string>) {
    this.client = createClient<paths>({ baseUrl });
    this.client.use({
      async onRequest({ request }) {
        request.headers.set("Authorization", `Bearer ${await token()}`);
        return request;
      },
    });
  }

  /** The state, and whether it is older than it should be. Costs no body while nothing changed. */
  async status(): Promise<{ status: Status; asOf: Date | null; isStale: boolean }> {
    const header = this.tag === undefined ? {} : { "If-None-Match": this.tag };
    const { data, error, response } = await this.client.GET("/api/me/status", { params: { header } });
    if (response.status === 304 && this.last !== undefined) return this.shown(this.last, response);
    if (data === undefined) throw new Error(error?.detail ?? response.statusText);
    this.tag = response.headers.get("ETag") ?? undefined;
    this.last = data;
    return this.shown(data, response);
  }

  /** Call it when the customer comes back from paying: resolves with the state as it was read afterwards. */
  async refreshed(everyMilliseconds = 1000, tries = 20): Promise<Status> {
    const { data, error, response } = await this.client.POST("/api/me/refresh");
    if (response.status !== 429 && data === undefined) throw new Error(error?.detail ?? response.statusText);
    const since = data === undefined ? 0 : Date.parse(data.requestedAt);
    for (let left = tries; ; left -= 1) {
      const { status, asOf } = await this.status();
      if ((asOf !== null && asOf.getTime() >= since) || left <= 0) return status;
      await new Promise((done) => setTimeout(done, everyMilliseconds));
    }
  }

  /** The newest notifications with the count for the bell, and how many seconds to wait before looking again. */
  async bell(): Promise<{ items: Notification[]; unread: number; lookAgainIn: number }> {
    const { data, error, response } = await this.client.GET("/api/notifications", { params: { query: { limit: 20 } } });
    if (data === undefined) throw new Error(error?.detail ?? response.statusText);
    return { items: data.items, unread: data.unreadCount, lookAgainIn: Number(response.headers.get("X-Poll-Interval") ?? 30) };
  }

  async read(id: string): Promise<void> {
    const { error } = await this.client.POST("/api/notifications/{id}/read", { params: { path: { id } } });
    if (error !== undefined) throw new Error(error.detail);
  }

  private shown(status: Status, response: Response) {
    const asOf = response.headers.get("Me-Status-As-Of");
    return { status, asOf: asOf === null ? null : new Date(asOf), isStale: status.freshness.isStale };
  }
}
