#!/usr/bin/env node
// Stands where LiteLLM's Prisma starts its query engine, a program that only Prisma's own servers hand out: takes the
// same GraphQL by HTTP, and answers with Prisma's query compiler for JavaScript on the same database.
// Usage: engine.cjs -p PORT …   (environment: DATABASE_URL, or OVERWRITE_DATASOURCES as Prisma sets it;
// QUERY_ENGINE_HOME: folder with the packages and the client that scripts/lab/install-live makes)
const fs = require("node:fs");
const http = require("node:http");
const { createRequire } = require("node:module");
const installed = createRequire(`${process.env.QUERY_ENGINE_HOME ?? __dirname}/`);

const option = (name) => process.argv[process.argv.indexOf(name) + 1];

// What Prisma's engine makes of an address (quaint/src/connector/postgres/url.rs, 5.17): it knows `require` and takes any
// other mode for `prefer`, looks at the certificate and its name where `sslaccept` is given and not
// `accept_invalid_certs`, and believes the first certificate of `sslcert` and those that OpenSSL reads by its variable.
function encryption(options) {
  if (options.get("sslmode") !== "require") return undefined;
  if ((options.get("sslaccept") ?? "accept_invalid_certs") === "accept_invalid_certs") return { rejectUnauthorized: false };
  const first = (file) => fs.readFileSync(file, "utf-8").split(/(?<=-----END CERTIFICATE-----)/)[0];
  const ca = [];
  if (options.has("sslcert")) ca.push(first(options.get("sslcert")));
  if (process.env.SSL_CERT_FILE) ca.push(fs.readFileSync(process.env.SSL_CERT_FILE, "utf-8"));
  return { rejectUnauthorized: true, ca };
}

function address() {
  const overwritten = process.env.OVERWRITE_DATASOURCES;
  const url = new URL(overwritten ? JSON.parse(overwritten)[0].url : process.env.DATABASE_URL);
  const most = Number(url.searchParams.get("connection_limit") ?? 5);
  const ssl = encryption(url.searchParams);
  url.search = "";
  return { connectionString: url.href, max: most, ssl };
}

let parse, prisma;

function connect() {
  ({ parse } = installed("graphql"));
  const { PrismaPg } = installed("@prisma/adapter-pg");
  const { PrismaClient } = installed("./client");
  prisma = new PrismaClient({ adapter: new PrismaPg(address()) });
}

const transactions = new Map();

function value(node) {
  switch (node.kind) {
    case "ObjectValue": return Object.fromEntries(node.fields.map((field) => [field.name.value, value(field.value)]));
    case "ListValue": return node.values.map(value);
    case "IntValue": return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : node.value;
    case "FloatValue": return Number(node.value);
    case "NullValue": return null;
    default: return node.value;
  }
}

const argumentsOf = (node) => Object.fromEntries((node.arguments ?? []).map((one) => [one.name.value, value(one.value)]));

function selection(node) {
  return Object.fromEntries((node.selectionSet?.selections ?? []).map((field) => [field.name.value,
    field.selectionSet || field.arguments?.length
      ? { arguments: argumentsOf(field), selection: selection(field) } : true]));
}

// In the GraphQL protocol JSON is a text with its source; here an untagged text would be stored as a text.
function tagged(model, given) {
  if (Array.isArray(given)) return given.map((one) => tagged(model, one));
  if (!given || typeof given !== "object") return given;
  return Object.fromEntries(Object.entries(given).map(([key, one]) => {
    const field = prisma._runtimeDataModel.models[model].fields.find((known) => known.name === key);
    if (field?.kind === "object") return [key, tagged(field.type, one)];
    if (field?.type !== "Json") return [key, tagged(model, one)];
    const json = (text) => (typeof text === "string" ? { $type: "Json", value: text } : text);
    const operators = one && typeof one === "object" && !Array.isArray(one);
    return [key, operators ? Object.fromEntries(Object.entries(one).map(([name, text]) => [name, json(text)])) : json(one)];
  }));
}

const OPERATION = /^(findUnique|findFirst|findMany|createOne|createMany|updateOne|updateMany|upsertOne|deleteOne|deleteMany|aggregate|groupBy)(.+?)(OrThrow)?$/;

function question(field) {
  const name = field.name.value;
  const query = { arguments: argumentsOf(field), selection: selection(field) };
  if (name === "queryRaw" || name === "executeRaw") {
    // PostgreSQL's own type for names is none that the adapter knows.
    query.arguments.query = query.arguments.query.replaceAll("ARRAY_AGG(viewname)", "ARRAY_AGG(viewname::text)");
    return { action: name, query: { ...query, selection: {} } };
  }
  const [, action, modelName, orThrow] = OPERATION.exec(name);
  query.arguments = tagged(modelName, query.arguments);
  return { modelName, action: action + (orThrow ?? ""), query };
}

// The GraphQL protocol has texts where the JSON protocol has tagged values.
function plain(found) {
  if (typeof found === "bigint") return String(found);
  if (found instanceof Date) return found.toISOString();
  if (Array.isArray(found)) return found.map(plain);
  if (found && typeof found === "object") {
    if ("$type" in found) return plain(found.value);
    return Object.fromEntries(Object.entries(found).map(([key, one]) => [key, plain(one)]));
  }
  return found;
}

// Of raw queries, JSON columns arrive as texts here, and as what they hold from the engine.
function rows(found) {
  const held = found.types.map((type) => type === "json");
  return { ...found, rows: found.rows.map((row) => row.map((one, at) => (held[at] && typeof one === "string" ? JSON.parse(one) : one))) };
}

async function run(text, interactiveTransaction) {
  const data = {};
  for (const field of parse(text).definitions[0].selectionSet.selections) {
    const asked = question(field);
    const { data: answered } = await prisma._engine.request(asked, { interactiveTransaction });
    const raw = Object.values(answered)[0];
    data[field.alias?.value ?? field.name.value] = asked.action === "queryRaw" ? rows(plain(raw)) : plain(raw);
  }
  return data;
}

function failure(error) {
  const known = { error_code: error.code ?? "P2010", message: error.message, meta: error.meta ?? {} };
  return { errors: [{ error: String(error.stack ?? error), user_facing_error: { is_panic: false, ...known } }] };
}

async function answer(path, content, header) {
  if (path === "/status") return { status: "ok" };
  if (path.startsWith("/metrics")) return { counters: [], gauges: [], histograms: [] };
  if (path === "/transaction/start") {
    const { max_wait: maxWait, timeout } = content;
    const started = await prisma._engine.transaction("start", {}, { maxWait, timeout });
    transactions.set(started.id, started);
    return { id: started.id };
  }
  const [, , id, end] = path.split("/");
  if (end) {
    await prisma._engine.transaction(end, {}, transactions.get(id));
    transactions.delete(id);
    return {};
  }
  if (!content.batch) return { data: await run(content.query, transactions.get(header)) };
  const { id: all, ...more } = content.transaction ? await prisma._engine.transaction("start", {}, { maxWait: 5000, timeout: 30000 }) : {};
  const open = all && { id: all, ...more };
  try {
    const batchResult = [];
    for (const one of content.batch) batchResult.push({ data: await run(one.query, open) });
    if (open) await prisma._engine.transaction("commit", {}, open);
    return { batchResult };
  } catch (error) {
    if (open) await prisma._engine.transaction("rollback", {}, open).catch(() => {});
    throw error;
  }
}

if (process.argv.includes("--version")) {
  console.log(`query-engine ${process.env.EXPECTED_ENGINE ?? "393aa359c9ad4a4bb28630fb5613f9c281cde053"}`);
} else {
  serve();
}

// Prisma's engine connects before it listens, and ends where it is refused.
async function serve() {
  connect();
  try {
    await prisma.$queryRawUnsafe("SELECT 1");
  } catch (error) {
    const reason = error.meta?.driverAdapterError?.cause ?? error.cause ?? {};
    console.error(JSON.stringify({ is_panic: false, message: `Error opening a TLS connection: ${error.message}`, reason }));
    process.exit(1);
  }
  http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    let told;
    try {
      told = await answer(request.url, body ? JSON.parse(body) : {}, request.headers["x-transaction-id"]);
    } catch (error) {
      told = failure(error);
    }
    if (process.env.QUERY_ENGINE_LOG && told.errors) console.error(body, JSON.stringify(told).slice(0, 2000));
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(told));
  }).listen(Number(option("-p")), "127.0.0.1");
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
}
