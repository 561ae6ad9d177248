// SPDX-License-Identifier: MIT
// Judges smcctl pod by others' word: judge.js SMCCTL GOLDEN. Output: TAP.
// * The patch of review, applied by fast-json-patch, is what inject makes.
// * What inject and manifest print are objects that kubernetes-models knows, with no field that it does not.
"use strict";
const fs = require("fs");
const path = require("path");
const { spawnSync } = require("child_process");
const { isDeepStrictEqual } = require("util");
const jsonpatch = require("fast-json-patch");

const [smcctl, golden] = process.argv.slice(2);
let count = 0;
let failures = 0;
function result(good, name, detail) {
    count++;
    if (!good) failures++;
    console.log(`${good ? "ok" : "not ok"} ${count} - ${name}${good || !detail ? "" : `\n# ${detail}`}`);
}
function run(args, input) {
    const r = spawnSync(smcctl, args, { input, encoding: "utf8" });
    return { code: r.status, out: r.stdout, err: r.stderr };
}

// ---- review against inject ----

function podOf(object) {
    const item = object.items ? object.items[0] : object;
    const spec = item.spec || {};
    const template = item.template || spec.template || (spec.jobTemplate && spec.jobTemplate.spec.template) || item;
    return { apiVersion: "v1", kind: "Pod", metadata: { generateName: "p-", ...template.metadata }, spec: template.spec };
}

function review(pod, version, change) {
    const request = { uid: "705ab4f5", kind: { group: "", version: "v1", kind: "Pod" }, operation: "CREATE", dryRun: true, object: pod, ...change };
    const r = run(["pod", "review"], JSON.stringify({ apiVersion: `admission.k8s.io/${version}`, kind: "AdmissionReview", request }));
    return { ...r, answer: r.code === 0 ? JSON.parse(r.out) : null };
}

// null: as it should be.
function judgePod(pod) {
    const { code, answer, err } = review(pod, "v1");
    if (code !== 0) return `review: exit ${code}: ${err}`;
    const response = answer.response;
    if (answer.apiVersion !== "admission.k8s.io/v1" || answer.kind !== "AdmissionReview") return "not its version";
    if (response.uid !== "705ab4f5" || response.allowed !== true) return "not its uid, or not allowed";
    if (!response.patch !== !response.patchType) return "patch without type";
    const patched = JSON.parse(JSON.stringify(pod));
    if (response.patch) {
        if (response.patchType !== "JSONPatch") return "patchType";
        const patch = JSON.parse(Buffer.from(response.patch, "base64").toString("utf8"));
        const wrong = jsonpatch.validate(patch, pod);
        if (wrong) return wrong.message;
        jsonpatch.applyPatch(patched, patch, true);
    }
    const injected = run(["pod", "inject"], JSON.stringify(pod));
    const expected = injected.code === 0 ? JSON.parse(injected.out) : pod;
    return isDeepStrictEqual(patched, expected) ? null : `${JSON.stringify(patched)} is not ${JSON.stringify(expected)}`;
}

let seed = 1;
function chance(n) {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % n;
}
const pick = (...list) => list[chance(list.length)];
function container(name) {
    const c = { name, image: "i" };
    const env = pick(undefined, null, [], [{ name: "A", value: "1" }], [{ name: "LD_PRELOAD", value: "/a.so" }, { name: "B", value: "é<" }],
        [{ name: "LD_PRELOAD" }], [{ name: "LD_PRELOAD", valueFrom: { fieldRef: { fieldPath: "x" } } }]);
    if (env !== undefined) c.env = env;
    if (chance(2)) c.volumeMounts = pick([], null, [{ name: "d", mountPath: "/d" }]);
    return c;
}
function randomPod() {
    const spec = { containers: Array.from({ length: 1 + chance(3) }, (_, i) => container(`c${i}`)) };
    if (chance(2)) spec.initContainers = pick([], null, [container("i0")], [{ ...container("i0"), restartPolicy: "Always" }, container("i1")]);
    if (chance(2)) spec.volumes = pick([], null, [{ name: "d", emptyDir: {} }]);
    const metadata = { name: "p", annotations: { "smc.smcctl.io/inject": "true", "a/b~c": "x" } };
    if (chance(4) === 0) metadata.annotations["smc.smcctl.io/exclude"] = "c0";
    return { apiVersion: "v1", kind: "Pod", metadata, spec };
}

function judgeReviews() {
    for (const file of fs.readdirSync(golden).filter((f) => f.endsWith(".json")).sort()) {
        const object = JSON.parse(fs.readFileSync(path.join(golden, file), "utf8"));
        const pod = podOf(object);
        pod.metadata.annotations = { "smc.smcctl.io/inject": "true", ...pod.metadata.annotations };
        if (!pod.spec || !Array.isArray(pod.spec.containers)) continue;
        const wrong = judgePod(pod);
        result(!wrong, `review of ${file} is inject`, wrong);
    }
    let wrong = null;
    for (let i = 0; i < 150 && !wrong; i++) wrong = judgePod(randomPod());
    result(!wrong, "review of 150 generated pods is inject", wrong);
    const plain = randomPod();
    delete plain.metadata.annotations;
    const cases = [
        ["a pod that did not ask", review(plain, "v1")],
        ["another object", review({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } }, "v1", { kind: { group: "", version: "v1", kind: "ConfigMap" } })],
        ["an update", review(randomPod(), "v1", { operation: "UPDATE" })],
        ["a pod of a wrong shape", review({ ...randomPod(), spec: { containers: 7 } }, "v1")],
    ];
    for (const [name, r] of cases)
        result(r.code === 0 && r.answer.response.allowed === true && !r.answer.response.patch, `${name} is allowed as it is`, JSON.stringify(r));
    result(cases[3][1].answer.response.warnings.length === 1, "... the wrong shape with a warning");
    result(review(randomPod(), "v1beta1").answer.apiVersion === "admission.k8s.io/v1beta1", "the answer has the request's version");
    const done = JSON.parse(run(["pod", "inject"], JSON.stringify(randomPod())).out);
    result(!review(done, "v1").answer.response.patch, "a pod that has been injected gets no patch");
}

// ---- shapes ----

const modelsAt = path.dirname(require.resolve("kubernetes-models"));
const fields = new Map();

function* declarations(directory) {
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
        if (entry.name.startsWith("_") || entry.name === "node_modules") continue;
        const full = path.join(directory, entry.name);
        if (entry.isDirectory()) yield* declarations(full);
        else if (entry.name.endsWith(".d.ts")) yield fs.readFileSync(full, "utf8");
    }
}
// The package's validators let unknown fields pass; its declarations name the known ones.
for (const directory of [modelsAt, path.dirname(require.resolve("@kubernetes-models/apimachinery/package.json"))]) {
    for (const text of declarations(directory)) {
        const own = /export interface (I\w+)[^{]*\{\n([\s\S]*?)\n\}/.exec(text);
        const alias = /export \{ I\w+ as (IIo\w+)/.exec(text);
        if (!own || !alias) continue;
        fields.set(alias[1], new Map([...own[2].matchAll(/^ {4}"([^"]+)"\??: (.*)$/gm)].map((m) => [m[1], m[2]])));
    }
}
function unknownFields(value, type, where) {
    const known = fields.get((/IIo\w+/.exec(type) || [""])[0]);
    if (!known || value === null || typeof value !== "object") return [];
    if (Array.isArray(value)) return value.flatMap((v, i) => unknownFields(v, type, `${where}[${i}]`));
    return Object.entries(value).flatMap(([key, v]) => (known.has(key) ? unknownFields(v, known.get(key), `${where}.${key}`) : [`${where}.${key}`]));
}

// null: known and valid.
function judgeShape(object, unknownOk) {
    const [group, version] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : ["", object.apiVersion];
    let Model;
    try {
        Model = require(path.join("kubernetes-models", group, version, object.kind))[object.kind];
    } catch {
        return unknownOk ? null : `${object.apiVersion} ${object.kind} is unknown`;
    }
    try {
        new Model(object).validate();
    } catch (e) {
        return e.message;
    }
    const name = `IIoK8sApi${group ? group.split(".")[0][0].toUpperCase() + group.split(".")[0].slice(1) : "Core"}V1${object.kind}`;
    if (!fields.has(name)) return `${name} has no declaration`;
    const unknown = unknownFields(object, name, object.kind);
    return unknown.length ? `unknown fields: ${unknown.join(", ")}` : null;
}

function judgeShapes() {
    const profile = path.join(golden, "..", "..", "..", "ctl", "host", "profiles", "throughput.json");
    for (const file of fs.readdirSync(golden).filter((f) => f.endsWith(".out")).sort()) {
        const object = JSON.parse(fs.readFileSync(path.join(golden, file), "utf8"));
        if (file === "other-kind.out") continue;
        const objects = object.items ? object.items.map((i) => ({ apiVersion: "v1", kind: "Pod", ...i })) : [object];
        for (const o of objects) {
            const wrong = judgeShape(o);
            result(!wrong, `${file} is a ${o.kind}`, wrong);
        }
    }
    const manifests = [[], ["--eid", "MY-EID", "--pnet", "NET1", "--interface", "eth1", "--host-profile", profile]];
    for (const args of manifests) {
        const list = JSON.parse(run(["pod", "manifest", ...args]).out);
        for (const o of list.items) {
            const foreign = o.apiVersion.startsWith("cert-manager.io/");
            const wrong = judgeShape(o, foreign);
            result(!wrong, `manifest ${args.join(" ")}: ${o.kind} ${o.metadata.name}`, wrong);
        }
    }
    // The judge itself.
    const bad = JSON.parse(fs.readFileSync(path.join(golden, "kind-Deployment.out"), "utf8"));
    bad.spec.template.spec.containers[0].volumeMount = [];
    result(judgeShape(bad) !== null, "the judge sees an unknown field");
    delete bad.spec.template.spec.containers[0].volumeMount;
    bad.spec.replicas = "2";
    result(judgeShape(bad) !== null, "the judge sees a wrong type");
}

judgeReviews();
judgeShapes();
console.log(`1..${count}`);
process.exit(failures ? 1 : 0);
