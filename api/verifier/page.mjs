// The page: takes the two files, and shows what came of them. All that a file
// says is put in as text.

import { Fault } from "./encoding.mjs";
import { mostFile, readKeys, readReceipts, verify } from "./receipt.mjs";

const of = (id) => document.getElementById(id);
const chosen = { receipt: null, keys: null };

function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

const stateNames = { holds: "✓ 成立", fails: "✗ 不成立", open: "？未核验", none: "– 未附" };

function renderStep(step) {
  return element("li", step.state, element("span", "state", stateNames[step.state]), element("span", "step", step.name), element("span", "text", step.text));
}

// facts lists what is said, leaving out what is empty.
function facts(title, rows) {
  const list = element("dl");
  for (const [name, value] of rows) {
    if (value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)) continue;
    list.append(element("dt", "", name), element("dd", "", typeof value === "object" ? JSON.stringify(value) : String(value)));
  }
  return list.childElementCount > 0 ? [element("h3", "", title), list] : [];
}

const moment = (at) => {
  const time = new Date(typeof at === "number" ? at * 1000 : at);
  return Number.isNaN(time.getTime()) ? at : time.toLocaleString("zh-CN", { timeZone: "Asia/Shanghai" });
};

const unavailable = { yes_no_only: "只核对是否，不提供内容", withheld: "依据已失效，不再提供", not_released: "未向本办件提供", no_value: "来源没有此项" };

function statementFacts(s) {
  const record = s.evidence ?? {};
  const fields = Object.entries(record.fields ?? {}).map(([code, f]) => [code, f?.value ?? unavailable[f?.unavailable] ?? f?.unavailable]);
  return [
    ...facts("凭据写明", [
      ["材料", s.name], ["办件编号", s.case_number], ["办理部门", s.department], ["出具方", s.iss], ["出具时间", moment(s.iat)],
      ["数据来源部门", record.department], ["数据资源", record.dataset], ["来源记录", record.reference], ["数据截至", record.as_of && moment(record.as_of)],
      ["取得时间", record.fetched_at && moment(record.fetched_at)], ["有效期至", record.valid_until && moment(record.valid_until)], ["共享授权", record.grant], ["依据", record.basis?.join?.("；")],
    ]),
    ...facts("数据项", fields),
  ];
}

// What the acts of the ledger are called; the others show their code.
const kinds = {
  case_opened: "登记办件", facts_changed: "变更情形", result_reported: "回告结果", case_closed: "办结", paper_handed_in: "接收纸质材料", intent: "查询意向",
  outcome: "查询结果", denied: "未予查询", resolved: "出具核验结果", read: "查阅核验结果", assist_answered: "答复协查", file_linked: "提供证照文件链接",
  file_fetched: "取得证照文件", consent_requested: "征求同意", consent_given: "同意", consent_refused: "不同意", consent_withdrawn: "撤回同意",
};

function entryFacts(e) {
  return facts("存证写明", [
    ["类型", kinds[e.kind] ?? e.kind], ["时间", moment(e.at)], ["系统", e.system], ["部门", e.department], ["办件", e.case], ["核验结果", e.resolution], ["事项", e.matter],
    ["材料", e.material], ["数据资源", e.dataset], ["数据项", e.fields?.join?.("、")], ["共享授权", e.grant], ["依据", e.basis?.join?.("；")], ["结果", e.result], ["理由", e.why],
  ]);
}

function renderResult(receipt, result) {
  const title = result.statement?.name ?? (isText(receipt.name) ? receipt.name : "存证");
  const article = element("article", result.state, element("h2", "", title), element("p", "verdict", result.verdict), element("p", "", result.meaning));
  article.append(element("ol", "", ...result.steps.map(renderStep)));
  // What does not hold is not shown as if it were said by anybody.
  if (result.state !== "fails") {
    if (result.statement) article.append(...statementFacts(result.statement));
    if (result.entry) article.append(...entryFacts(result.entry));
  }
  return article;
}

const isText = (value) => typeof value === "string" && value !== "";

let turn = 0;

async function show() {
  const mine = ++turn;
  const results = [];
  try {
    if (!globalThis.crypto?.subtle) throw new Fault("浏览器只在 https 或本机地址上提供核验所需的功能。请用 https 打开本页，或把本页存到本机。");
    const receipts = chosen.receipt === null ? null : readReceipts(chosen.receipt);
    const keys = chosen.keys === null ? null : readKeys(chosen.keys);
    if (!receipts || !keys) {
      results.push(element("p", "empty", receipts ? "再选择公钥文件。" : keys ? "再选择凭证文件。" : "选择凭证文件和公钥文件后，这里逐步显示核验结果。"));
    } else {
      for (const receipt of receipts) results.push(renderResult(receipt, await verify(receipt, keys)));
    }
  } catch (error) {
    results.push(element("p", "error", error instanceof Fault ? error.message : `本页出错，未能核验（${error.name}）。`));
  }
  if (mine === turn) of("results").replaceChildren(...results);
}

async function take(which, file) {
  if (!file) return;
  of(`${which}-chosen`).textContent = file.size > mostFile ? `${file.name}：文件过大` : file.name;
  chosen[which] = file.size > mostFile ? null : await file.text();
  await show();
}

function accept(which) {
  const drop = of(`${which}-drop`);
  of(`${which}-file`).addEventListener("change", (event) => {
    take(which, event.target.files[0]);
    event.target.value = ""; // so that the same file can be chosen again
  });
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); take(which, event.dataTransfer.files[0]); });
}

async function fetchKeys() {
  try {
    const answer = await fetch("/v1/trust", { credentials: "omit" });
    if (!answer.ok) throw new Fault("");
    chosen.keys = await answer.text();
    of("keys-chosen").textContent = "取自本站。本站给出的公钥不能证明本站自己；要防备本站，请从别处取得公钥文件。";
  } catch {
    of("keys-chosen").textContent = "取不到本站的公钥。请稍后再试，或选择公钥文件。";
  }
  await show();
}

// A file that misses its place would otherwise take the place of the page.
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
accept("receipt");
accept("keys");
of("keys-fetch").addEventListener("click", fetchKeys);
