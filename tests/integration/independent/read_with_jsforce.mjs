// Reads an org with jsforce and writes what it read as JSON. Argument: the folder jsforce is installed in.
// Standard input: {"url", "username", "password", "objects": {"Account": ["Id", ...], ...}}.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const jsforce = createRequire(`${process.argv[2]}/package.json`)("jsforce");
const options = JSON.parse(await text(process.stdin));

async function collect(query) {
  const records = [];
  await new Promise((resolve, reject) => {
    query.on("record", (record) => records.push(record)).on("error", reject).on("end", resolve);
    query.run({ autoFetch: true, maxFetch: 100000 });
  });
  return records;
}

async function collectStream(stream) {
  const records = [];
  await new Promise((resolve, reject) => {
    stream.on("record", (record) => records.push(record)).on("error", reject).on("end", resolve);
  });
  return records;
}

async function refusal(attempt) {
  try {
    await attempt();
  } catch (error) {
    return error.errorCode ?? error.message.split(":")[0];
  }
  return null;
}

const connection = new jsforce.Connection({ loginUrl: options.url });
const user = await connection.login(options.username, options.password);
connection.bulk2.pollInterval = 100;
const found = { user: user.id, organization: user.organizationId, version: jsforce.VERSION, objects: {} };
for (const [sobject, fields] of Object.entries(options.objects)) {
  const soql = `SELECT ${fields.join(", ")} FROM ${sobject}`;
  const described = await connection.describe(sobject);
  const query = await collect(connection.query(soql));
  found.objects[sobject] = {
    described: described.fields.map((field) => field.name),
    query,
    all: await collect(connection.query(soql, { scanAll: true })),
    bulk: await collectStream(await connection.bulk2.query(soql)),
    one: await connection.sobject(sobject).retrieve(query[0].Id),
    count: (await connection.query(`SELECT COUNT() FROM ${sobject}`)).totalSize,
  };
}
found.usage = connection.limitInfo?.apiUsage ?? null;
found.wrongPassword = await refusal(() => new jsforce.Connection({ loginUrl: options.url }).login(options.username, "wrong"));
found.wrongField = await refusal(() => connection.query("SELECT Nonsense__c FROM Account"));
process.stdout.write(JSON.stringify(found));
