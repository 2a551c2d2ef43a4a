// Is it true? A proof file of a holding against a genesis, and nothing else: no node is asked.
//
// What node/proofs/verifying.py does, in the same order; the first failure refuses the whole file:
// one spelling, this network, each handover, the header under a quorum's precommits, each entry in
// the state whose root the header carries, and the sentence that the entries say. The genesis comes
// with its hash, which whoever reads compares with the one that the institutions have published.
// Networks whose validators were amended outside the chain are left to `khazana verify`.
"use strict";

const FILE_MAX = 16 * 1024 * 1024;

class Refused extends Error {
  constructor(reason, detail) {
    super(detail);
    this.reason = reason;
  }
}

function require(holds, reason, detail) {
  if (!holds) throw new Refused(reason, detail);
}

// --- bytes ---------------------------------------------------------------------------------------

const utf8 = new TextEncoder();
// Without `ignoreBOM` the first character would vanish where it is the mark of a byte order.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function join(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unhex(text, size) {
  require(typeof text === "string" && /^([0-9a-f]{2})*$/.test(text), "unreadable", "hexadecimal");
  const bytes = Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  require(size === undefined || bytes.length === size, "unreadable", `${size} bytes`);
  return bytes;
}

function same(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

function big(number, size) {
  const bytes = new Uint8Array(size);
  let rest = BigInt(number);
  for (let at = size - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  require(rest === 0n, "unreadable", `${number} in ${size} bytes`);
  return bytes;
}

function whole(value) {
  require(Number.isSafeInteger(value) && value >= 0, "unreadable", "a whole number");
  return value;
}

// A hash under its domain: the tag, padded to one block of SHA-256, comes first.
async function tagged(tag, ...parts) {
  const data = join(join(utf8.encode(tag), new Uint8Array(64 - tag.length)), ...parts);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

// --- MessagePack: what records are made of, shortest forms ----------------------------------------

function pack(value) {
  if (typeof value === "number") {
    if (value < 0x80) return Uint8Array.of(value);
    const size = value < 0x100 ? 1 : value < 0x10000 ? 2 : value < 0x100000000 ? 4 : 8;
    return join(Uint8Array.of({ 1: 0xcc, 2: 0xcd, 4: 0xce, 8: 0xcf }[size]), big(value, size));
  }
  if (typeof value === "string") {
    const bytes = utf8.encode(value);
    return join(head(bytes.length, 32, 0xa0, [0xd9, 0xda, 0xdb]), bytes);
  }
  if (value instanceof Uint8Array) {
    return join(head(value.length, 0, 0, [0xc4, 0xc5, 0xc6]), value);
  }
  return join(head(value.length, 16, 0x90, [null, 0xdc, 0xdd]), ...value.map(pack));
}

function head(length, fixed, first, [one, two, four]) {
  if (length < fixed) return Uint8Array.of(first | length);
  if (one !== null && length < 0x100) return Uint8Array.of(one, length);
  return length < 0x10000
    ? join(Uint8Array.of(two), big(length, 2))
    : join(Uint8Array.of(four), big(length, 4));
}

// Integers come out as BigInt: amounts go up to 2^64.
function unpack(bytes) {
  let at = 0;
  const take = (size) => {
    require(at + size <= bytes.length, "unreadable", "MessagePack that ends early");
    at += size;
    return bytes.subarray(at - size, at);
  };
  const number = (size) => take(size).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const text = (size) => decoder.decode(take(size));
  const list = (size) => Array.from({ length: size }, () => read());
  const read = () => {
    const kind = take(1)[0];
    if (kind < 0x80) return BigInt(kind);
    if (kind >= 0xe0) return BigInt(kind - 0x100);
    if (kind >= 0xa0 && kind < 0xc0) return text(kind & 0x1f);
    if (kind >= 0x90 && kind < 0xa0) return list(kind & 0x0f);
    const sized = { 0xc4: 1, 0xc5: 2, 0xc6: 4 }[kind];
    if (sized) return take(Number(number(sized)));
    const named = { 0xd9: 1, 0xda: 2, 0xdb: 4 }[kind];
    if (named) return text(Number(number(named)));
    const listed = { 0xdc: 2, 0xdd: 4 }[kind];
    if (listed) return list(Number(number(listed)));
    const counted = { 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8 }[kind];
    if (counted) return number(counted);
    const signed = { 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8 }[kind];
    if (signed) return BigInt.asIntN(8 * signed, number(signed));
    if (kind === 0xc0) return null;
    if (kind === 0xc2 || kind === 0xc3) return kind === 0xc3;
    throw new Refused("unreadable", `MessagePack of kind ${kind}`);
  };
  const value = read();
  require(at === bytes.length, "unreadable", "bytes after the end");
  return value;
}

// --- the parts of a file --------------------------------------------------------------------------

function shape(value, names) {
  require(
    value !== null && typeof value === "object" && !Array.isArray(value) &&
      Object.keys(value).join() === names.join(),
    "unreadable",
    names.join(", "),
  );
  return value;
}

function listOf(value) {
  require(Array.isArray(value), "unreadable", "a list");
  return value;
}

function headerOf(value, layout) {
  const header = shape(value, layout.header.map(([name]) => name));
  const fields = layout.header.map(([name, kind]) => {
    if (kind === "int") return whole(header[name]);
    if (kind === "bytes") return unhex(header[name]);
    require(typeof header[name] === "string", "unreadable", name);
    return header[name];
  });
  return { ...header, packed: pack(fields) };
}

function validatorsHash(validators) {
  const ordered = [...validators].sort((a, b) => (a.name < b.name ? -1 : 1));
  return tagged("khazana/validators/1", pack(ordered.map((each) => [each.name, each.key])));
}

// The bytes that a precommit's signature covers.
function precommit(network, certificate, blockId, name) {
  const padded = new Uint8Array(32);
  padded.set(utf8.encode(name));
  return join(
    utf8.encode("khazana/consensus/1"),
    network,
    Uint8Array.of(2),
    big(certificate.height, 8),
    big(certificate.round, 4),
    Uint8Array.of(0),
    big(0, 4),
    Uint8Array.of(1),
    blockId,
    padded,
  );
}

async function checkDecided(header, certificate, validators, genesis) {
  require(
    header.network === hex(genesis.hash.subarray(0, 8)), "wrong-network", header.network,
  );
  require(genesis.versions.includes(header.version), "unknown-version", `${header.version}`);
  require(
    header.validators_hash === hex(await validatorsHash(validators)),
    "wrong-validators",
    `${header.height}`,
  );
  shape(certificate, ["kind", "height", "round", "block_id", "signatures"]);
  const blockId = await tagged("khazana/header/1", header.packed);
  require(
    certificate.kind === 2 && certificate.height === header.height &&
      certificate.block_id === hex(blockId),
    "not-decided",
    `${header.height}`,
  );
  whole(certificate.round);
  const count = validators.length;
  const quorum = Math.floor(genesis.faultModel === "crash" ? count / 2 : (2 * count) / 3) + 1;
  const signatures = listOf(certificate.signatures);
  require(signatures.length >= quorum, "not-decided", `${signatures.length} < ${quorum}`);
  let before = "";
  for (const each of signatures) {
    const { validator, signature } = shape(each, ["validator", "signature"]);
    const known = validators.find(({ name }) => name === validator);
    require(known && before < validator, "not-decided", `${validator}`);
    before = validator;
    const key = await crypto.subtle.importKey("raw", known.key, "Ed25519", false, ["verify"]);
    const signed = precommit(genesis.hash, certificate, blockId, validator);
    require(
      await crypto.subtle.verify("Ed25519", key, unhex(signature, 64), signed),
      "not-decided",
      validator,
    );
  }
}

const ones = (number) => number.toString(2).replaceAll("0", "").length;

// What a branch holds in a slot: nothing, a digest of 32 bytes, or a leaf of 64.
function slotOf(branch, index) {
  require(branch.length >= 4, "not-in-state", "a branch");
  const masks = new DataView(branch.buffer, branch.byteOffset).getUint32(0);
  const [taken, leaves] = [masks >>> 16, masks & 0xffff];
  require(
    (leaves & ~taken) === 0 && branch.length === 4 + 32 * (ones(taken) + ones(leaves)),
    "not-in-state",
    "a branch",
  );
  const below = (1 << index) - 1;
  const start = 4 + 32 * (ones(taken & below) + ones(leaves & below));
  return branch.subarray(start, start + 32 * (((taken >> index) & 1) + ((leaves >> index) & 1)));
}

async function checkEntry(entry, root, layout) {
  shape(entry, ["table", "key", "value", "proof"]);
  require(
    typeof entry.table === "string" && Object.hasOwn(layout.tables, entry.table),
    "not-in-state",
    `${entry.table}`,
  );
  const prefix = layout.tables[entry.table];
  const key = unhex(entry.key);
  const value = entry.value === null ? null : unhex(entry.value);
  const branches = listOf(shape(entry.proof, ["branches"]).branches).map((each) => unhex(each));
  const place = await tagged("khazana/state-key/1", join(unhex(prefix), key));
  let expected = root;
  for (const [depth, branch] of branches.entries()) {
    require(depth < 64, "not-in-state", entry.key);
    require(
      same(await tagged("khazana/state-node/1", branch), expected), "not-in-state", entry.key,
    );
    const slot = slotOf(branch, parseInt(hex(place)[depth], 16));
    if (slot.length === 32) {
      expected = slot;
      continue;
    }
    // Nothing may follow the branch that decides: a proof has one form.
    require(depth === branches.length - 1, "not-in-state", entry.key);
    const held = slot.length && same(slot.subarray(0, 32), place) ? slot.subarray(32) : null;
    const wanted = value === null ? null : await tagged("khazana/state-value/1", value);
    require(
      held === null ? wanted === null : wanted !== null && same(held, wanted),
      "not-in-state",
      entry.key,
    );
    return { table: entry.table, key, record: value === null ? null : unpack(value) };
  }
  throw new Refused("not-in-state", entry.key);
}

// --- what it says ---------------------------------------------------------------------------------

const CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

function checksum(values) {
  const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  return values.reduce((sum, value) => {
    const top = sum >>> 25;
    const next = ((sum & 0x1ffffff) << 5) ^ value;
    return generators.reduce((all, each, bit) => ((top >> bit) & 1 ? all ^ each : all), next);
  }, 1);
}

// bech32m, as in BIP 350.
function addressOf(bytes, prefix) {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{5}/g).map((group) => parseInt(group, 2));
  const codes = Array.from(prefix, (letter) => letter.charCodeAt(0));
  const named = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const sum = checksum([...named, ...groups, 0, 0, 0, 0, 0, 0]) ^ 0x2bc830a3;
  const tail = [0, 1, 2, 3, 4, 5].map((place) => (sum >>> (5 * (5 - place))) & 31);
  return `${prefix}1${[...groups, ...tail].map((group) => CHARACTERS[group]).join("")}`;
}

function amountOf(minor, decimals) {
  const digits = minor.toString().padStart(decimals + 1, "0");
  const thousands = digits
    .slice(0, digits.length - decimals)
    .replace(/\B(?=(\d{3})+$)/g, ",");
  return decimals ? `${thousands}.${digits.slice(-decimals)}` : thousands;
}

function statementOf([holding, ...others], header, genesis, layout) {
  const account = addressOf(holding.key.subarray(0, 20), genesis.prefix);
  const code = decoder.decode(holding.key.subarray(20));
  // Nothing is held of what no asset can be called, and such a name could lie.
  require(/^[A-Z0-9.-]{1,32}$/.test(code), "no-holding", hex(holding.key));
  const asset = others.find(
    ({ table, key, record }) => table === "assets" && record && same(key, utf8.encode(code)),
  );
  const name = asset ? `${code} (${asset.record[layout.asset.name]})` : code;
  const when = new Date(header.time_ms).toISOString();
  const after = `, after block ${header.height} of the network ${genesis.name} at ${when}.`;
  const values = { account, asset: name, height: header.height, network: genesis.name, time: when };
  const said = (form, sentence, sums) => ({
    form,
    statement: `Account ${account} holds ${sentence}${after}`,
    values: { ...values, ...sums },
  });
  if (holding.record === null) return said("None", `no ${name}`, {});
  const [available, held] = holding.record;
  if (!asset) {
    const units = `${available} minor units of ${name}, and ${held} under holds`;
    return said("Units", units, { available, held });
  }
  const decimals = Number(asset.record[layout.asset.decimals]);
  const sums = {
    available: amountOf(available, decimals),
    held: amountOf(held, decimals),
  };
  return said("Amounts", `${sums.available} ${name} available and ${sums.held} under holds`, sums);
}

// --- the whole ------------------------------------------------------------------------------------

async function genesisOf(bytes, layout) {
  const record = unpack(bytes);
  const { name, test_network, fault_model, validators } = layout.genesis;
  return {
    hash: await tagged("khazana/genesis/1", bytes),
    name: record[name],
    prefix: record[test_network] ? "tkhz" : "khz",
    faultModel: record[fault_model],
    versions: layout.versions,
    validators: record[validators].map((each) => ({
      name: each[layout.validator.name],
      key: each[layout.validator.public_key],
    })),
  };
}

async function verifyProof(text, genesis, layout) {
  require(text.length <= FILE_MAX, "unreadable", `${text.length}`);
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Refused("unreadable", "JSON");
  }
  shape(file, layout.proof);
  const spelled = JSON.stringify(file, null, 2);
  require(spelled === text.replace(/\n$/, ""), "not-canonical", "");
  require(file.format === "khz-proof/1", "unreadable", `${file.format}`);
  require(file.genesis_hash === hex(genesis.hash), "wrong-network", `${file.genesis_hash}`);
  const header = headerOf(file.header, layout);
  let validators = genesis.validators;
  let height = 0;
  for (const each of listOf(file.handovers)) {
    const handover = shape(each, ["header", "certificate", "validators"]);
    const before = headerOf(handover.header, layout);
    require(
      height < before.height && before.height < header.height, "wrong-validators", `${height}`,
    );
    await checkDecided(before, handover.certificate, validators, genesis);
    height = before.height;
    let last = "";
    validators = listOf(handover.validators).map((next) => {
      const { name, public_key } = shape(next, ["name", "public_key"]);
      require(typeof name === "string", "unreadable", "name");
      require(last < name, "wrong-validators", `${height}`);
      last = name;
      return { name, key: unhex(public_key, 32) };
    });
    const keys = new Set(validators.map(({ key }) => hex(key)));
    require(keys.size === validators.length, "wrong-validators", `${height}`);
    require(
      before.next_validators_hash === hex(await validatorsHash(validators)),
      "wrong-validators",
      `${height}`,
    );
  }
  await checkDecided(header, file.certificate, validators, genesis);
  const root = unhex(header.state_root, 32);
  const entries = [];
  for (const entry of listOf(file.entries)) entries.push(await checkEntry(entry, root, layout));
  require(
    entries.length && entries[0].table === "holdings" && entries[0].key.length > 20,
    "no-holding",
    "",
  );
  const said = statementOf(entries, header, genesis, layout);
  require(said.statement === file.statement, "wrong-statement", said.statement);
  return said;
}

// --- the page -------------------------------------------------------------------------------------

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("verify");
  const [paste, chosen, verdict] = ["proof", "file", "verdict"].map((id) =>
    document.getElementById(id),
  );
  const told = { ...form.dataset };
  const isRightToLeft = document.documentElement.dir === "rtl";
  // In the other direction each value stands by itself, or it would turn what is around it.
  const apart = (value) => (isRightToLeft ? `\u2068${value}\u2069` : `${value}`);
  const show = (kind, sentence, detail, says = "") => {
    verdict.hidden = false;
    verdict.className = `verdict ${kind}`;
    verdict.querySelector(".sentence").textContent = sentence;
    verdict.querySelector(".says").textContent = says;
    verdict.querySelector(".detail").textContent = detail === says ? "" : detail;
  };
  const showProven = ({ form: name, statement, values }) => {
    const says = told[`says${name}`].replace(/\{(\w+)\}/g, (_, key) => apart(values[key]));
    show("good", told.holds, statement, says);
  };
  const check = async (text) => {
    try {
      require(globalThis.crypto?.subtle, "no-crypto", location.origin);
      const layout = JSON.parse(told.layout);
      const answer = await fetch(told.genesis);
      require(answer.ok, "no-genesis", `${answer.status}`);
      const genesis = await genesisOf(new Uint8Array(await answer.arrayBuffer()), layout);
      const trusted = document.getElementById("trusted").value.trim().toLowerCase();
      require(trusted === hex(genesis.hash), "wrong-genesis", hex(genesis.hash));
      showProven(await verifyProof(text, genesis, layout));
    } catch (error) {
      const reason = error instanceof Refused ? error.reason : "unreadable";
      const key = reason.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
      show("bad", told[`refused${key[0].toUpperCase()}${key.slice(1)}`], error.message);
    }
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    check(paste.value);
  });
  const take = async (file) => {
    if (!file) return;
    paste.value = file.size <= FILE_MAX ? await file.text() : "";
    check(paste.value);
  };
  chosen.addEventListener("change", () => take(chosen.files[0]));
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
});
