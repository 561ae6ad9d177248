#!/bin/bash
# SPDX-License-Identifier: MIT
# smcctl pod: golden objects for every kind and every row of the rules, bad input, review behind TLS, what a pod's containers do.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
golden=$top_srcdir/tests/pod/golden

# ---- golden: NAME.json, with NAME.args, gives NAME.out and NAME.err; twice is once, undone is undone
for file in "$golden"/*.json; do
	name=$(basename "$file" .json)
	read -r -a options < <(cat "$golden/$name.args" 2>/dev/null)
	"$smcctl" pod inject "${options[@]}" <"$file" >out 2>err
	echo "exit $?" >>err
	touch empty && diff "$(test -e "$golden/$name.out" && echo "$golden/$name.out" || echo empty)" out >difference && diff "$golden/$name.err" err >>difference
	result $? "golden: $name"
	grep -q '^exit 0$' err || continue
	cp out injected
	"$smcctl" pod inject "${options[@]}" injected >out 2>err && cmp -s injected out
	result $? "... twice is once"
	[[ $name == clean ]] && continue
	"$smcctl" pod uninject injected >out 2>err && cmp -s "$file" out
	result $? "... uninject gives the original"
done

# ---- line ends of Windows, in a layout by hand
sed 's/$/\r/' "$golden/by-hand.json" >windows.json
gives 0 "line ends of Windows" "$smcctl" pod inject windows.json
cp out injected
holds "... the same but for those" bash -c 'tr -d "\r" <injected | cmp - "$1"' - "$golden/by-hand.out"
holds "... in each line" bash -c '! grep -v $'"'\\r$'"' injected'
gives 0 "... and back" "$smcctl" pod uninject injected
holds "... to the byte" cmp windows.json out

# ---- streams, files, directories
deployment=$golden/kind-Deployment.json
mkdir objects && cp "$deployment" objects/b.json && jq -c . "$golden/kind-Job.json" >objects/a.json && echo 'a: 1' >objects/c.yaml
gives 0 "a directory" "$smcctl" pod inject objects
says err 'Job shop/job: injected' && says err 'Deployment shop/deployment: injected'
holds "... in the order of its names, each in its layout" bash -c '[ "$(wc -l <out)" -gt 50 ] && head -n 1 out | jq -e ".kind == \"Job\""'
gives 0 "... and back" bash -c '"$1" pod inject objects 2>/dev/null | "$1" pod uninject -' - "$smcctl"
holds "... to the byte" bash -c 'cat objects/a.json objects/b.json | cmp - out'
printf '{"kind":"A"}  {"x" : 1.0}\n\n{"kind":"B","z":1,"a":[ ]}' >stream
gives 0 "what is no workload passes" "$smcctl" pod inject stream
"$smcctl" pod inject <stream >out 2>err
holds "... to the byte, blanks and all" cmp stream out
gives 0 "--detailed-exitcode: nothing changed" "$smcctl" pod inject --detailed-exitcode stream
gives 2 "--detailed-exitcode: something changed" "$smcctl" pod inject --detailed-exitcode "$deployment"
"$smcctl" pod inject --report json "$deployment" 2>out >err
holds "--report json" json 'd["objects"][0] == {"kind":"Deployment","namespace":"shop","name":"deployment","result":"injected","why":None,"containers":["app"],"notes":[]}'

# ---- bad input: one line, nothing on standard output
bad() { # EXIT NAME REGEX TEXT [ARGUMENT...]
	local expected=$1 name=$2 regex=$3
	printf '%s' "$4" >text
	shift 4
	gives "$expected" "bad: $name" "$smcctl" pod inject "$@" text
	lines out 0 "... nothing on stdout"
	lines err 1 "... one line"
	says err "$regex"
}
bad 65 "YAML" "YAML is not read: .*-o json" 'apiVersion: v1'
bad 65 "nothing" "'text': is empty" ' '
bad 65 "a list" "'text:2:1': value '\[': an object must stand here" $'\n[]'
bad 65 "a key twice" "'text:1:9': key '\"a\"': stands twice" '{"a":1, "a":2}'
bad 65 "the place is said" "'text:2:6': text '}'" $'{"a":\n     }'
bad 65 "a comment" "JSON has no comments" '{ // a' 
bad 64 "a method" "method 'x': unknown; there are init, hostpath and image-volume" '{}' --method x
bad 64 "a dialect" "dialect 'x': unknown" '{}' --dialect x
bad 64 "a ConfigMap's name" "ConfigMap 'A_b': " '{}' --policy A_b
bad 64 "hostpath with a ConfigMap" "the node's policy" '{}' --method hostpath --policy x
bad 64 "a dialect with a method" "only annotates" '{}' --dialect asm --method init
gives 65 "no such file" "$smcctl" pod inject missing.json
says err "manifest 'missing.json': No such file"
mkdir none && gives 65 "a directory without JSON" "$smcctl" pod inject none
says err 'has no file \*\.json; YAML is not read'
head -c 3000 /dev/urandom >noise && gives 65 "noise" "$smcctl" pod inject noise

# ---- explain
gives 0 "explain" "$smcctl" pod explain "$deployment"
says out '^Deployment shop/deployment  app        SMC  '
gives 2 "explain: nothing would be SMC" "$smcctl" pod explain "$golden/sandbox-kata.json"
says out 'app  *TCP .*kata-qemu'
gives 0 "explain: a mesh" "$smcctl" pod explain --json "$golden/mesh-proxy.json"
holds "... the proxy carries the traffic" json '[c["verdict"] for c in d["containers"]] == ["TCP", "SMC"] and "proxy" in d["notes"][0]["note"]'
gives 0 "explain: a Go image" "$smcctl" pod explain "$golden/go-image.json"
says out 'db  *unknown .*Go program, .*; smcctl run before its command, in its image, supervises it'
supervised() { # NAME VERDICT COMMAND-AND-CONTEXT
	jq '.spec.template.spec.containers[1] += '"$3" "$golden/go-image.json" >supervised.json
	gives 0 "explain: $1" "$smcctl" pod explain --json supervised.json
	holds "... $2" json "d['containers'][1]['verdict'] == '$2'"
}
supervised "supervised, if it may" unknown '{command: ["/usr/bin/smcctl", "run", "--", "etcd"]}'
holds "... says what it needs" json "'CAP_SYS_PTRACE' in d['containers'][1]['why']"
supervised "supervised, and it may" SMC '{command: ["smcctl", "run", "etcd"], securityContext: {capabilities: {add: ["SYS_PTRACE"]}}}'
supervised "its image starts smcctl" SMC '{command: ["smcctl"], args: ["run", "etcd"], securityContext: {seccompProfile: {type: "Unconfined"}}}'
supervised "smcctl for something else" unknown '{command: ["smcctl", "status"], args: ["run"], securityContext: {privileged: true}}'
gives 0 "explain: what is injected already" "$smcctl" pod explain "$golden/sidecar.out"
says out 'migrate  *TCP .*an init container'
says out 'logs  *SMC'
holds "... without our own containers" bash -c '! grep smc-init out'
explained() { # EXIT NAME FILE VERDICT WHY NOTE: of its one container, or of the last one; the first note has NOTE in it
	gives "$1" "explain: $2" "$smcctl" pod explain --json "$3"
	holds "... $4: $5" json "d['containers'][-1]['verdict'] == '$4' and '$5' in d['containers'][-1]['why']"
	holds "... noting: ${6:-nothing}" json "'${6-}' in (d['notes'] + [{'note': ''}])[0]['note'] and bool(d['notes']) == bool('${6-}')"
}
explained 2 "a mesh whose proxy is yet to come" "$golden/mesh-to-come.json" TCP "a proxy that is yet to come" "smc.smcctl.io/containers"
explained 2 "... injected" "$golden/mesh-to-come.out" TCP "a proxy that is yet to come" "smc.smcctl.io/containers"
explained 0 "a mesh without the proxy" "$golden/kind-Deployment.json" SMC "that the policy names"
explained 0 "annotated for the eRDMA controller" "$golden/erdma.out" SMC "the eRDMA controller puts every connection" "turns IPv6 off"
explained 0 "... by others" "$golden/erdma-limit.json" SMC "whatever a policy says" "turns IPv6 off"
explained 0 "... and injected" "$golden/erdma-limit.out" SMC "whatever a policy says" "turns IPv6 off"
explained 0 "... without its limit" "$golden/erdma-by-others.json" SMC "that the policy names" "does nothing"
jq '.spec.template.spec.initContainers = [{name: "first"}]' "$golden/erdma.out" >early.json
gives 0 "explain: before the eRDMA controller acts" "$smcctl" pod explain --json early.json
holds "... an init container is TCP" json "[c['verdict'] for c in d['containers']] == ['TCP', 'SMC']"
jq '.spec.template.spec.runtimeClassName = "kata"' "$golden/erdma.out" >kata.json
explained 2 "eRDMA in a sandbox" kata.json TCP sandbox sandbox
explained 2 "annotated for ASM" "$golden/asm.out" TCP "a proxy that is yet to come" "falls back to TCP without a word"
explained 0 "... but not with true" "$golden/asm-false.json" SMC "that the policy names" 'is \"false\"'
explained 0 "hostNetwork" "$golden/host-network.json" SMC "that the policy names" "network namespace"
jq '.spec.template.spec.containers[1].image = "gcr.io/distroless/static:nonroot"' "$golden/go-image.json" >static.json
jq '.spec.template.metadata.annotations["network.alibabacloud.com/erdma-smcr"] = "true" |
	.spec.template.spec.containers[1].resources.limits["aliyun/erdma"] = 1' static.json >switched.json
explained 0 "... which the eRDMA controller reaches" switched.json SMC "the eRDMA controller puts" "turns IPv6 off"
holds "... whatever its image" json "len(d['notes']) == 1"
explained 0 "a static image" static.json unknown "probably a static program" "probably a static program"

# ---- review: the patch is judged by tests/ctl/pod-judge.sh; here what is none, and HTTP behind TLS
review='{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","object":{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"smc.smcctl.io/inject":"true"}},"spec":{"containers":[{"name":"a"}]}}}}'
echo "$review" >review.json
gives 0 "review" "$smcctl" pod review review.json
holds "... allows and patches" json 'd["response"]["allowed"] is True and d["response"]["patchType"] == "JSONPatch"'
for words in '{}|is no AdmissionReview' '{"apiVersion":"admission.k8s.io/v2","kind":"AdmissionReview"}|apiVersion other than' \
	'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}|no request.uid' '{}{}|exactly one'; do
	echo "${words%|*}" >text
	gives 65 "review: ${words#*|}" "$smcctl" pod review text
	says err "${words#*|}"
done
printf 'POST /review HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s' ${#review} "$review" >request
"$smcctl" pod review --http <request >out 2>err
holds "review --http answers" bash -c 'head -n 1 out | grep -x "HTTP/1.1 200 OK." && tail -n 1 out | jq -e .response.patch'
printf 'POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{]' | "$smcctl" pod review --http >out 2>err
says out '^HTTP/1.1 400 Bad Request'
# The certificate is made as doc/kubernetes.md says, and the front is called by the name that the API server uses.
eval "$(sed -n 's/^\$ \(openssl req .*\)/\1/p' "$top_srcdir/doc/kubernetes.md")" 2>err
"$smcctl" pod manifest --image registry.example/smcshim:1 --ca-bundle tls.crt >manifest.json
service=$(jq -r '.items[-1].webhooks[0].clientConfig.service | "\(.name).\(.namespace).svc"' manifest.json)
jq -r '.items[-1].webhooks[0].clientConfig.caBundle' manifest.json | base64 -d >ca.crt
jq -r '.items[] | select(.kind == "ConfigMap" and .metadata.name == "smcshim-webhook") | .data["stunnel.conf"]' manifest.json |
	sed "s|/tls/|$PWD/|; s|= 8443|= 127.0.0.1:18443|; s|/usr/bin/smcctl|$smcctl|" >stunnel.conf
stunnel stunnel.conf >stunnel.log 2>&1 &
children=$!
call() { # PATH [OPTION...]
	curl -sf --cacert ca.crt --resolve "$service:18443:127.0.0.1" "${@:2}" "https://$service:18443$1"
}
within 20 "a TLS front (stunnel) is a webhook" call /
call /review --data-binary @review.json >out 2>err
holds "... and answers over TLS what review says" bash -c '"$1" pod review --image registry.example/smcshim:1 review.json | cmp - out' - "$smcctl"
kill_children

# ---- manifest
echo '{"version":1,"rules":[{"use":"smc","connect":"any"}]}' >policy.json
gives 0 "manifest with a policy" "$smcctl" pod manifest --policy policy.json
holds "... for the nodes" bash -c 'jq -e --rawfile policy policy.json ".items[] | select(.metadata.name == \"smcshim-policy\") | .data[\"policy.json\"] == \$policy" out'
gives 0 "manifest" "$smcctl" pod manifest --eid MY-EID --pnet NET1 --interface eth1
cp out manifest.json && jq -r '.items[] | select(.metadata.name == "smcshim-policy" and .kind == "ConfigMap") | .data["policy.json"]' out >policy.json
gives 0 "... with a policy that can be applied" "$smcctl" policy check policy.json
cp manifest.json out
echo '{ "version": 1 }' >profile.json
gives 0 "manifest of everything" "$smcctl" pod manifest --image registry.example/smcshim:1 --webhook-image registry.example/smcshim-webhook:1 \
	--eid MY-EID --pnet NET1 --interface eth1 --host-profile profile.json
cp out all.json && diff "$golden/manifest.all" all.json >err
result $? "... is what people looked at (tests/pod/golden/manifest.all)"
cp manifest.json out
holds "... runs commands that there are" bash -c 'jq -r ".items[].spec.template.spec // empty | (.initContainers // []) + .containers | .[].command |
	select(.[0] == \"/usr/bin/smcctl\") | .[1:3] | join(\" \")" out | sort -u | while read -r words; do "$1" $words --help || exit 1; done' - "$smcctl"
holds "... no secret of a service account, nowhere privileged" bash -c 'jq -e "[.items[] | .spec.template.spec // empty | .automountServiceAccountToken == false] | all and length == 2" out &&
	! grep "\"privileged\": true" out'
holds "... every container drops all capabilities" bash -c 'jq -e "[.items[].spec.template.spec // empty | (.initContainers // []) + .containers | .[].securityContext.capabilities.drop == [\"ALL\"]] | all" out'
gives 0 "manifest with a CA of one's own" "$smcctl" pod manifest --ca-bundle tls.crt
holds "... needs no cert-manager" bash -c '! grep cert-manager out && jq -e ".items[-1].webhooks[0].clientConfig.caBundle" out'
gives 65 "manifest: a private key is no CA" "$smcctl" pod manifest --ca-bundle <(cat tls.key tls.crt)
gives 65 "manifest: a policy with an error" "$smcctl" pod manifest --policy stream
gives 0 "manifest with a profile of smcctl host" "$smcctl" pod manifest --host-profile "$top_srcdir/ctl/host/profiles/throughput.json"
holds "... to the byte" bash -c 'jq -e --rawfile host "$1" ".items[] | select(.metadata.name == \"smcshim-host\") | .data[\"host.json\"] == \$host" out' - \
	"$top_srcdir/ctl/host/profiles/throughput.json"
holds "... in a container that is not privileged" bash -c 'jq -e "[.items[].spec.template.spec.initContainers // empty | .[] | select(.name == \"host\")] |
	length == 1 and .[0].securityContext.capabilities.add == [\"NET_ADMIN\", \"SYS_CHROOT\", \"SYS_MODULE\"]" out && ! grep "\"privileged\": true" out'
gives 0 "... without one" "$smcctl" pod manifest
holds "... nothing of the host is mounted but two directories" bash -c '[ "$(jq -c "[.items[].spec.template.spec.volumes // empty | .[].hostPath.path // empty]" out)" = "[\"/var/lib/smcshim\",\"/run/smc\"]" ] &&
	! grep smcshim-host out'
echo '{ "version": 1, "sysctl": { "net.ipv4.tcp_rmem": 5 } }' >bad.json
gives 65 "manifest: a profile with an error" "$smcctl" pod manifest --host-profile bad.json
says err '^bad.json:1:'
gives 64 "manifest: --pnet alone" "$smcctl" pod manifest --pnet X

# ---- place
chmod 755 . "$dir"
mkdir -m 777 lib && mkdir -m 777 /run/smc
gives 0 "place without a policy" unprivileged "$smcctl" pod place lib
says err 'there is no policy /etc/smc/policy.json: everything stays TCP'
holds "... the library is there, for all" bash -c '[ "$(stat -c %a lib/libsmcshim.so)" = 755 ] && cmp lib/libsmcshim.so "$1/preload/.libs/libsmcshim.so"' - "$top_builddir"
echo '{"version":1,"rules":[{"use":"smc","connect":"any"}]}' >/etc/smc/policy.json && chmod 644 /etc/smc/policy.json
gives 0 "place with one" unprivileged "$smcctl" pod place lib
says out '^/run/smc/policy: applied, state on$'
echo '{' >/etc/smc/policy.json
gives 65 "place with a bad one" unprivileged "$smcctl" pod place lib
gives 0 "... lenient" unprivileged "$smcctl" pod place --lenient lib
gives 1 "place into nothing" "$smcctl" pod place nowhere
says err "library 'nowhere': cannot be put there: No such file"

# ---- a table of another user counts where it is mounted read-only, as in a pod, and nowhere else
sees() { # STATE NAME
	env LD_PRELOAD="${asan:+$asan:}$PWD/lib/libsmcshim.so" ASAN_OPTIONS=detect_leaks=0 sleep 100 &
	children=$!
	within 20 "$2" bash -c '"$1" status --json "$2" | grep "\"table_state\":\"$3\""' - "$smcctl" "$children" "$1"
	"$smcctl" status --json "$children" >out 2>err
	kill_children
}
[ "$(stat -c %u /run/smc/policy)" = 0 ] || sees refused "another user's table is refused"
mount --bind /run/smc /run/smc && mount -o remount,bind,ro /run/smc
sees mapped "on a read-only mount it is mapped"
umount /run/smc
finish
