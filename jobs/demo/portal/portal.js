// A portal that knows the public API alone: it asks for the state with a tag, words its own frame, shows the rest as it came.

const WORDS = {
  en: {
    skip: "Skip to content", customer: "Customer", language: "Language", notifications: "Notifications", readAll: "Mark all read", older: "Show older",
    tasks: "To do", nextInvoice: "Next invoice", account: "Your account", activity: "Recent activity", stage: "Demo", stageMore: "Act on the two systems behind, and watch the change arrive.",
    pay: "Pay this invoice", card: "Add a card", residence: "Submit residence card", day: "Let a day pass",
    hello: (name) => `Hello, ${name}`, nothing: "Nothing to do. All is well.", noInvoice: "No open invoice", noNews: "No notifications", noActivity: "Nothing yet",
    due: (on) => `Due ${on}`, overdue: "Overdue", number: (n) => `Invoice ${n}`, unread: (n) => (n ? `Notifications, ${n} unread` : "Notifications, none unread"),
    markRead: "Mark read", dismiss: "Dismiss", over: "Settled", unknown: "Not known", stale: "Out of date",
    internet: "Internet at your address", card_: "Residence card", methods: "Payment methods", services: "Active services", amount: "Amount due", cases: "Open cases", orders: "Open orders", billing: "Billing",
    working: "Done in the source. Waiting for the change…", arrived: (s) => `Arrived after ${s} s.`, passing: "The night goes by…", passed: "A day has passed.", changed: "Your page has changed.", failed: "That did not work", slow: "No change yet; the page keeps looking.",
    asOf: (at) => `As of ${at}`, signedUp: "Not served yet: the first reading is under way.",
    status: { not_requested: "Not requested", pending: "Being checked", eligible: "Available", ineligible: "Not available", unknown: "Not known", not_submitted: "Not submitted", submitted: "Being reviewed", verified: "Verified", rejected: "Needs attention", linked: "Connected", none: "No billing account", in_doubt: "Being clarified" },
  },
  ja: {
    skip: "本文へ移動", customer: "お客様", language: "言語", notifications: "お知らせ", readAll: "すべて既読にする", older: "以前のお知らせ",
    tasks: "やること", nextInvoice: "次回のお支払い", account: "ご契約状況", activity: "最近の動き", stage: "デモ", stageMore: "裏側の二つのシステムを操作して、変化が届く様子をご覧ください。",
    pay: "この請求書を支払う", card: "カードを追加する", residence: "在留カードを提出する", day: "一日進める",
    hello: (name) => `${name} 様`, nothing: "今やることはありません。", noInvoice: "未払いの請求書はありません", noNews: "お知らせはありません", noActivity: "まだありません",
    due: (on) => `お支払い期限 ${on}`, overdue: "期限切れ", number: (n) => `請求書 ${n}`, unread: (n) => (n ? `お知らせ、未読 ${n} 件` : "お知らせ、未読なし"),
    markRead: "既読にする", dismiss: "消す", over: "完了", unknown: "不明", stale: "情報が古くなっています",
    internet: "ご住所のインターネット", card_: "在留カード", methods: "お支払い方法", services: "ご利用中のサービス", amount: "お支払い額", cases: "お問い合わせ", orders: "お申し込み", billing: "お支払い情報",
    working: "元のシステムに反映しました。届くのを待っています…", arrived: (s) => `${s} 秒で届きました。`, passing: "夜が明けるのを待っています…", passed: "一日が経ちました。", changed: "内容が更新されました。", failed: "できませんでした", slow: "まだ変化がありません。確認を続けます。",
    asOf: (at) => `${at} 現在`, signedUp: "最初の読み込み中です。",
    status: { not_requested: "未申し込み", pending: "確認中", eligible: "ご利用いただけます", ineligible: "ご利用いただけません", unknown: "不明", not_submitted: "未提出", submitted: "審査中", verified: "確認済み", rejected: "要確認", linked: "連携済み", none: "未登録", in_doubt: "確認中" },
  },
};
const TONE_OF = { eligible: "info", verified: "info", linked: "info", ineligible: "neutral", rejected: "warning", in_doubt: "warning" };
const FAST = 600, USUAL = 4000, PATIENCE = 20000;

const me = { customer: null, name: "", api: "", token: "", expiresAt: 0, language: "en", status: null, tag: null, bellTag: null, page: null, waiting: null, timer: 0 };
const $ = (id) => document.getElementById(id);
const say = (key, ...values) => (typeof WORDS[me.language][key] === "function" ? WORDS[me.language][key](...values) : WORDS[me.language][key]);

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) key.startsWith("on") ? made.addEventListener(key.slice(2), value) : value !== null && made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

const money = (amount, currency) => (currency ? new Intl.NumberFormat(me.language === "ja" ? "ja-JP" : "en-JP", { style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(Number(amount)).replace("￥", "¥") : amount);
const onDay = (text) => new Intl.DateTimeFormat(me.language, { dateStyle: "long", timeZone: "UTC" }).format(new Date(`${text}T00:00:00Z`));
const atTime = (text) => new Intl.DateTimeFormat(me.language, { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Tokyo" }).format(new Date(text));
const count = (value) => (value === null ? say("unknown") : String(value));

// Asking ---------------------------------------------------------------------------------------------------------------

async function ask(path, { method = "GET", body, tag } = {}) {
  if (Date.now() / 1000 > me.expiresAt - 30) await logIn();
  const headers = { Authorization: `Bearer ${me.token}` };
  if (tag) headers["If-None-Match"] = tag;
  if (body) headers["Content-Type"] = "application/json";
  return fetch(me.api + path, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
}

async function backend(path, given = {}) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ customer: me.customer, ...given }) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail);
  return body;
}

async function logIn() {
  Object.assign(me, await backend("/demo/session")); // where to ask, a token, and the account's language
}

async function look() {
  const asked = me.customer;
  const answer = await ask("/api/me/status", { tag: me.tag });
  if (asked !== me.customer) return;
  if (answer.status === 200) {
    const before = me.status;
    me.tag = answer.headers.get("ETag");
    me.status = await answer.json();
    show(before);
  } else if (answer.status !== 304) {
    $("freshness").textContent = answer.status === 404 ? say("signedUp") : (await answer.json()).detail;
  }
  settle(answer.headers.get("Me-Status-As-Of"), answer.status === 200);
  await lookAtBell();
}

async function lookAtBell() {
  const answer = await ask("/api/notifications?limit=20", { tag: me.bellTag });
  if (answer.status !== 200) return;
  me.bellTag = answer.headers.get("ETag");
  me.page = await answer.json();
  showBell();
}

function keepLooking() {
  clearTimeout(me.timer);
  me.timer = setTimeout(async () => {
    try { await look(); } catch (error) { $("freshness").textContent = String(error.message ?? error); }
    keepLooking();
  }, me.waiting ? FAST : USUAL);
}

// Acting ---------------------------------------------------------------------------------------------------------------

async function act(name, value = "") {
  tell(say("working"), true);
  try {
    await backend(`/demo/act/${name}`, { value });
    await refresh();
  } catch (error) {
    tell(`${say("failed")}: ${error.message}`);
  }
}

async function refresh() {
  const began = Date.now();
  let answer = await ask("/api/me/refresh", { method: "POST" });
  if (answer.status === 429) {
    await new Promise((done) => setTimeout(done, Number(answer.headers.get("Retry-After")) * 1000));
    answer = await ask("/api/me/refresh", { method: "POST" });
  }
  if (!answer.ok) throw new Error((await answer.json()).detail);
  me.waiting = { since: (await answer.json()).requestedAt, began };
  keepLooking();
}

function settle(asOf, isChanged) {
  if (!me.waiting) return;
  const seconds = ((Date.now() - me.waiting.began) / 1000).toFixed(1);
  if (asOf ? Date.parse(asOf) >= Date.parse(me.waiting.since) : isChanged) {
    me.waiting = null;
    tell(say("arrived", seconds));
  } else if (Date.now() - me.waiting.began > PATIENCE) {
    me.waiting = null;
    tell(say("slow"));
  }
}

async function passADay() {
  tell(say("passing"), true);
  document.querySelectorAll(".buttons button").forEach((button) => (button.disabled = true));
  try {
    await backend("/demo/day");
    await look();
    tell(say("passed"));
  } catch (error) {
    tell(`${say("failed")}: ${error.message}`);
  }
  showButtons();
}

function tell(text, isBusy = false) {
  $("said").textContent = text;
  $("said").classList.toggle("busy", isBusy);
}

async function mark(id, action) {
  await ask(`/api/notifications/${id}/${action}`, { method: "POST" });
  await lookAtBell();
}

// Showing --------------------------------------------------------------------------------------------------------------

function show(before) {
  const now = me.status;
  replace("tasks", now.tasks.length ? now.tasks.map(task) : [el("li", { class: "none" }, icon("check"), el("p", {}, say("nothing")))]);
  replace("invoice", invoice(now.summary.nextInvoice));
  replace("facts", facts(now).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  replace("activity", now.summary.recentActivity.length ? now.summary.recentActivity.map(happened) : [el("li", {}, say("noActivity"))]);
  const { isStale, asOf, whmcsSyncedAt } = now.freshness;
  const oldest = asOf ? Object.values(asOf).filter(Boolean).sort()[0] : whmcsSyncedAt;
  replace("freshness", [oldest ? say("asOf", atTime(oldest)) : "", isStale ? el("span", { class: "tag warning" }, say("stale")) : null]);
  showButtons();
  if (before && before.customerId === now.customerId) glow(before, now);
}

function glow(before, now) {
  const parts = { tasks: (it) => it.tasks, invoice: (it) => it.summary.nextInvoice, facts: (it) => facts(it).map(([name, value]) => [name, value.textContent ?? value]), activity: (it) => it.summary.recentActivity };
  for (const [id, part] of Object.entries(parts)) {
    if (JSON.stringify(part(before)) === JSON.stringify(part(now))) continue;
    const card = $(id).closest(".card");
    card.classList.remove("changed");
    requestAnimationFrame(() => card.classList.add("changed"));
  }
}

function replace(id, children) {
  $(id).replaceChildren(...children.filter((child) => child !== null));
}

function task(one) {
  const box = el("span", { class: "icon" }, icon(one.type));
  const go = el("button", { type: "button", class: "go", onclick: () => follow(one) }, one.actionLabel);
  return el("li", { class: one.tone }, box, el("div", {}, el("h3", {}, one.title), el("p", {}, one.description)), go);
}

function follow(one) {
  const button = { invoice_due: "pay", add_payment_method: "card", verification_rejected: "residence" }[one.type];
  if (button) $(button).focus();
  tell(one.actionUrl);
}

function invoice(next) {
  if (!next) return [el("p", {}, me.status.summary.stats.unpaidInvoices === null ? say("unknown") : say("noInvoice"))];
  const when = el("span", { class: `tag ${next.isOverdue ? "critical" : "neutral"}` }, next.isOverdue ? say("overdue") : say("due", onDay(next.dueDate)));
  return [el("div", { class: "amount" }, money(next.amount, next.currency)), when, el("p", {}, say("number", next.number ?? next.id), next.isOverdue ? ` · ${say("due", onDay(next.dueDate))}` : "")];
}

function facts(now) {
  const { stats } = now.summary;
  const tag = (word) => el("span", { class: `tag ${TONE_OF[word] ?? "neutral"}` }, WORDS[me.language].status[word] ?? word);
  return [
    [say("internet"), tag(now.internetEligibility.status)], [say("card_"), tag(now.residenceCardVerification.status)],
    [say("billing"), tag(now.billing.state)], [say("methods"), count(now.paymentMethods.totalCount)],
    [say("amount"), stats.amountDue === null ? say("unknown") : money(stats.amountDue, stats.currency ?? "JPY")],
    [say("services"), count(stats.activeSubscriptions)], [say("orders"), count(stats.openOrders)], [say("cases"), count(stats.openCases)],
  ];
}

function happened(one) {
  return el("li", {}, el("span", {}, one.title, one.description ? el("small", {}, ` · ${one.description}`) : ""), el("time", { datetime: one.occurredAt }, atTime(one.occurredAt)));
}

function showBell() {
  const { items, unreadCount, nextCursor } = me.page;
  $("bell-count").hidden = unreadCount === 0;
  $("bell-count").textContent = unreadCount > 99 ? "99+" : unreadCount;
  $("bell-label").textContent = say("unread", unreadCount);
  $("read-all").disabled = unreadCount === 0;
  $("older").hidden = nextCursor === null;
  replace("notifications", items.length ? items.map(notice) : [el("li", {}, el("span"), el("p", {}, say("noNews")))]);
}

function notice(one) {
  const isUnread = one.readAt === null && one.resolvedAt === null;
  const name = `${one.tone} ${isUnread ? "unread" : ""} ${one.resolvedAt ? "over" : ""}`;
  const buttons = [
    isUnread ? el("button", { type: "button", class: "quiet", onclick: () => mark(one.id, "read") }, say("markRead")) : null,
    el("button", { type: "button", class: "quiet", onclick: () => mark(one.id, "dismiss") }, say("dismiss")),
  ];
  const over = one.resolvedAt ? el("span", { class: "tag neutral" }, say("over")) : null;
  return el("li", { class: name }, el("span", { class: "dot" }), el("div", {}, el("h3", {}, one.title), el("p", {}, one.message), el("time", { datetime: one.createdAt }, atTime(one.createdAt))), el("span", {}, over), el("div", { class: "do" }, ...buttons));
}

function showButtons() {
  const now = me.status, billed = now?.billing.state === "linked";
  $("pay").disabled = !now?.summary.nextInvoice;
  $("card").disabled = !billed;
  $("residence").disabled = !now || ["submitted", "verified"].includes(now.residenceCardVerification.status);
  $("day").disabled = !now;
}

function showFrame() {
  document.documentElement.lang = me.language;
  document.querySelectorAll("[data-say]").forEach((one) => (one.textContent = say(one.dataset.say)));
  document.querySelectorAll("[data-language]").forEach((one) => one.setAttribute("aria-pressed", one.dataset.language === me.language));
  $("hello").textContent = say("hello", me.name);
  $("today").textContent = new Intl.DateTimeFormat(me.language, { dateStyle: "full", timeZone: "Asia/Tokyo" }).format(new Date());
  if (me.status) show(null);
  if (me.page) showBell();
}

// Beginning ------------------------------------------------------------------------------------------------------------

async function become(customer, name) {
  Object.assign(me, { customer, name, status: null, tag: null, bellTag: null, page: null, waiting: null, expiresAt: 0 });
  sessionStorage.setItem("customer", customer);
  tell("");
  await logIn();
  showFrame();
  await look();
  keepLooking();
}

function openBell(isOpen) {
  $("bell-panel").hidden = !isOpen;
  $("bell-button").setAttribute("aria-expanded", isOpen);
}

async function begin() {
  const customers = await (await fetch("/demo/customers")).json();
  $("customer").replaceChildren(...customers.map((one) => el("option", { value: one.id }, one.name)));
  $("customer").addEventListener("change", () => become($("customer").value, $("customer").selectedOptions[0].textContent));
  document.querySelectorAll("[data-language]").forEach((button) => button.addEventListener("click", () => {
    me.language = button.dataset.language;
    showFrame();
    act("language", me.language);
  }));
  $("bell-button").addEventListener("click", () => openBell($("bell-panel").hidden));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !$("bell-panel").hidden) { openBell(false); $("bell-button").focus(); } });
  document.addEventListener("click", (event) => { if (!event.target.closest("#bell-panel, #bell-button") && event.target.isConnected) openBell(false); });
  $("read-all").addEventListener("click", async () => { await ask("/api/notifications/read-all", { method: "POST", body: { upTo: me.page.items[0]?.createdAt ?? null } }); await lookAtBell(); });
  $("older").addEventListener("click", async () => {
    const more = await (await ask(`/api/notifications?limit=20&cursor=${encodeURIComponent(me.page.nextCursor)}`)).json();
    me.page = { ...more, items: [...me.page.items, ...more.items] };
    showBell();
  });
  $("pay").addEventListener("click", () => act("pay", String(me.status.summary.nextInvoice.id)));
  $("card").addEventListener("click", () => act("card"));
  $("residence").addEventListener("click", () => act("residence"));
  $("day").addEventListener("click", passADay);
  const last = customers.find((one) => one.id === sessionStorage.getItem("customer")) ?? customers[0];
  $("customer").value = last.id;
  await become(last.id, last.name);
}

begin();
