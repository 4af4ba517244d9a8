// Run by tests/integration/test_generated_clients.py: reads a status and marks a notification read, typed and checked.
import { Portal } from "./portal.js";
import { getStatusResponse } from "./zod.js";

const [baseUrl, token] = process.argv.slice(2) as [string, string];
const portal = new Portal(baseUrl, async () => token);
const { status } = await portal.status();
const again = await portal.status();
const answer = await fetch(`${baseUrl}/api/me/status`, { headers: { Authorization: `Bearer ${token}` } });
const parsed = getStatusResponse.parse(await answer.json());
const before = await portal.bell();
const first = before.items[0];
if (first === undefined) throw new Error("no notification");
await portal.read(first.id);
const after = await portal.bell();
console.log(JSON.stringify({ customer: status.customerId, same: again.status === status, zod: parsed.customerId, unread: [before.unread, after.unread], type: first.type }));
