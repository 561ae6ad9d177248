#!/bin/bash
# SPDX-License-Identifier: MIT
# Where the access key comes from: the order of the vendor's own chain, and no secret in any message. Simulated.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh" || exit 99
in_namespace
double
unset ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ACCESS_KEY_SECRET

uses() { # NAME KEY PROVIDER [ASSIGNMENT...]
	local name=$1 key=$2 provider=$3
	shift 3
	gives 0 "$name" env "$@" "$smcctl" cloud whoami --json
	holds "... is the $provider" json "d['provider'] == '$provider' and d['key'] == '$key'"
	[ ! -s err ]
	result $? "... without a word"
}
# The same, and the vendor's chain takes the same key.
agrees() {
	uses "$@"
	local want=$2
	shift 3
	key=$(env "$@" node "$top_srcdir/tests/fakecloud/chain.js" 2>/dev/null)
	[ "${key:0:4}***" = "$want" ]
	result $? "... as the vendor's own chain has it ($key)"
}
# The same where somebody has to be asked for the key: the vendor's chain takes it too, and both ask the same questions.
asks_alike() {
	: >double/ways
	uses "$@" ALIBABA_CLOUD_REGION_ID=cn-hangzhou
	mv double/ways ours && : >double/ways
	local want=$2
	shift 3
	key=$(env "$@" node "$top_srcdir/tests/fakecloud/chain.js" "$port" 2>err)
	[ "${key:0:4}***" = "$want" ]
	result $? "... as the vendor's own chain has it ($key)"
	[ -s ours ] && diff ours double/ways >out 2>&1
	result $? "... by the same requests"
}
profile() { # MODE MORE
	mkdir -p home/.aliyun
	cat >home/.aliyun/config.json <<END
{ "current": "a", "profiles": [
  { "name": "other", "mode": "AK", "access_key_id": "other", "access_key_secret": "othersecret", "region_id": "cn-hangzhou" },
  { "name": "a", "mode": "$1", $2 "region_id": "cn-hangzhou" } ] }
END
	chmod 600 home/.aliyun/config.json
}
ini() {
	mkdir -p home/.alibabacloud
	printf '%s\n' "$@" >home/.alibabacloud/credentials
	chmod 600 home/.alibabacloud/credentials
}
own='"access_key_id": "testid", "access_key_secret": "testsecret",'
env_key='ALIBABA_CLOUD_ACCESS_KEY_ID=other ALIBABA_CLOUD_ACCESS_KEY_SECRET=othersecret'

asks_alike "the instance's role, when there is nothing else" "STS.***" "metadata service"
asks_alike "... a role that is named" "STS.***" "metadata service" ALIBABA_CLOUD_ECS_METADATA=the-role
gives 77 "... or switched off" env ALIBABA_CLOUD_ECS_METADATA_DISABLED=true "$smcctl" cloud whoami
says err "^smcctl: credentials 'access key': none in the environment"
ini '[default]' 'type = access_key' 'access_key_id = testid' 'access_key_secret = testsecret' '' '# comment' '[other]' 'type=access_key' \
	'access_key_id=other' 'access_key_secret=othersecret'
agrees "the INI file" "test***" "INI file"
agrees "... another section" "othe***" "INI file" ALIBABA_CLOUD_PROFILE=other
profile AK "$own"
agrees "the CLI profile before it" "test***" "CLI profile"
agrees "... another profile" "othe***" "CLI profile" ALIBABA_CLOUD_PROFILE=other
agrees "... switched off" "test***" "INI file" ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true
uses "... ignored, as the vendor's command line says it" "test***" "INI file" ALIBABA_CLOUD_IGNORE_PROFILE=TRUE ALIBABA_CLOUD_REGION_ID=cn-hangzhou
profile StsToken '"access_key_id": "STS.role", "access_key_secret": "rolesecret", "sts_token": "role/token+==",'
agrees "... with a token" "STS.***" "CLI profile"
# shellcheck disable=SC2086
agrees "the environment before them" "othe***" "environment" $env_key
profile RamRoleArn "$own"'"ram_role_arn": "acs:ram::1:role/x", "ram_session_name": "s",'
asks_alike "a profile with a role" "STS.***" "CLI profile"
profile RamRoleArn "$own"'"ram_role_arn": "acs:ram::1:role/x y+z", "ram_session_name": "s", "expired_seconds": 1200,'
asks_alike "... for a time" "STS.***" "CLI profile"
mv home/.aliyun/config.json kept.json
ini '[default]' 'type = ram_role_arn' 'access_key_id = testid' 'access_key_secret = testsecret' 'role_arn = acs:ram::1:role/x' \
	'role_session_name = s' 'policy = {"Version":"1"}'
asks_alike "an INI section with a role and a policy" "STS.***" "INI file"
ini '[default]' 'type = ecs_ram_role' 'role_name = the-role'
asks_alike "an INI section with the instance's role" "STS.***" "metadata service"
mv kept.json home/.aliyun/config.json
profile EcsRamRole '"ram_role_name": "the-role",'
asks_alike "a profile with the instance's role" "STS.***" "metadata service"
printf 'oidc-token' >token
asks_alike "OIDC before the files" "STS.***" "OIDC" ALIBABA_CLOUD_ROLE_ARN=acs:ram::1:role/x ALIBABA_CLOUD_OIDC_PROVIDER_ARN=acs:ram::1:oidc/y \
	ALIBABA_CLOUD_OIDC_TOKEN_FILE="$PWD/token" ALIBABA_CLOUD_ROLE_SESSION_NAME=s
gives 1 "... with a token that is not taken" env ALIBABA_CLOUD_ROLE_ARN=acs:ram::1:role/x ALIBABA_CLOUD_OIDC_PROVIDER_ARN=acs:ram::1:oidc/y \
	ALIBABA_CLOUD_OIDC_TOKEN_FILE=/dev/null "$smcctl" cloud whoami
holds "... nor by the vendor's own client" test "$(env ALIBABA_CLOUD_ROLE_ARN=acs:ram::1:role/x ALIBABA_CLOUD_OIDC_PROVIDER_ARN=acs:ram::1:oidc/y \
	ALIBABA_CLOUD_OIDC_TOKEN_FILE=/dev/null ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true ALIBABA_CLOUD_ECS_METADATA_DISABLED=true HOME=/nowhere \
	node "$top_srcdir/tests/fakecloud/chain.js" "$port" 2>err)" = none
# shellcheck disable=SC2086
uses "the environment before OIDC" "othe***" "environment" ALIBABA_CLOUD_ROLE_ARN=r ALIBABA_CLOUD_OIDC_PROVIDER_ARN=p \
	ALIBABA_CLOUD_OIDC_TOKEN_FILE="$PWD/token" $env_key
gives 1 "half a key in the environment" env ALIBABA_CLOUD_ACCESS_KEY_ID=testid "$smcctl" cloud whoami
says err "ALIBABA_CLOUD_ACCESS_KEY_SECRET.*not set"

uses "the environment with a token" "STS.***" "environment" ALIBABA_CLOUD_ACCESS_KEY_ID=STS.role ALIBABA_CLOUD_ACCESS_KEY_SECRET=rolesecret \
	ALIBABA_CLOUD_SECURITY_TOKEN=role/token+==
gives 77 "... with a wrong one" env ALIBABA_CLOUD_ACCESS_KEY_ID=STS.role ALIBABA_CLOUD_ACCESS_KEY_SECRET=rolesecret ALIBABA_CLOUD_SECURITY_TOKEN=x "$smcctl" cloud whoami
mv home/.aliyun/config.json elsewhere.json
# That variable is of the vendor's other SDKs.
uses "a CLI profile elsewhere" "othe***" "CLI profile" ALIBABA_CLOUD_CONFIG_FILE="$PWD/elsewhere.json" ALIBABA_CLOUD_PROFILE=other
printf '%s\n' '[default]' 'type = access_key' 'access_key_id = other' 'access_key_secret = othersecret' >elsewhere.ini
chmod 600 elsewhere.ini
agrees "an INI file elsewhere" "othe***" "INI file" ALIBABA_CLOUD_CREDENTIALS_FILE="$PWD/elsewhere.ini"
profile RamRoleArn "$own"'"ram_role_arn": "acs:ram::1:role/x", "ram_session_name": "s", "external_id": "e x+1",'
: >double/ways
uses "a profile with an external id" "STS.***" "CLI profile"
holds "... tells STS" grep -F '"ExternalId":"e x+1"' double/ways

# The region: the option, the environment, the profile, the metadata service; asked only when it has to tell something.
profile AK "$own"
sed -i 's/"region_id": "cn-hangzhou" } \]/"region_id": "cn-shanghai" } ]/' home/.aliyun/config.json
in_region() { # NAME REGION [WORD...]
	local name=$1 region=$2
	shift 2
	: >double/ways
	gives 0 "$name" "$@" --json
	holds "... is $region" json "d['region'] == '$region'"
}
in_region "the region of the profile" cn-shanghai "$smcctl" cloud whoami
in_region "... after that of the environment" eu-x env ALIBABA_CLOUD_REGION_ID=eu-x "$smcctl" cloud whoami
in_region "... and that of the option" eu-y env ALIBABA_CLOUD_REGION_ID=eu-x "$smcctl" cloud whoami --region eu-y
sed -i 's/"cn-shanghai"/"Shanghai"/' home/.aliyun/config.json
gives 64 "... which is none" "$smcctl" cloud whoami
rm home/.aliyun/config.json
in_region "the region of the metadata service" cn-hangzhou "$smcctl" cloud whoami
holds "... which was asked" grep region-id double/ways
# shellcheck disable=SC2086
in_region "... or is not asked" cn-hangzhou env $env_key ALIBABA_CLOUD_ECS_METADATA_DISABLED=true "$smcctl" cloud whoami
holds "... at all" test ! -s double/ways

# Which host is asked, by a proxy that takes nothing: nobody hears of it.
asked_at() { # NAME HOST ASSIGNMENT...
	local name=$1 host=$2
	shift 2
	: >err
	env -u SMCCTL_CLOUD_ENDPOINT -u SMCCTL_CLOUD_SPEED https_proxy=http://127.0.0.1:1 "$@" "$smcctl" cloud whoami >out 2>err </dev/null &
	local pid=$!
	within 20 "$name: $host" grep -F " $host: " err
	{ kill $pid; wait $pid; } 2>/dev/null
}
key='ALIBABA_CLOUD_ACCESS_KEY_ID=testid ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsecret ALIBABA_CLOUD_REGION_ID=cn-x'
oidc="ALIBABA_CLOUD_ROLE_ARN=r ALIBABA_CLOUD_OIDC_PROVIDER_ARN=p ALIBABA_CLOUD_OIDC_TOKEN_FILE=$PWD/token ALIBABA_CLOUD_REGION_ID=cn-x"
# shellcheck disable=SC2086
{
	asked_at "the service" sts.cn-x.aliyuncs.com $key
	asked_at "... within the VPC" sts-vpc.cn-x.aliyuncs.com $key ALIBABA_CLOUD_ENDPOINT_TYPE=vpc
	asked_at "... at another host" gw.example.com $key ALIBABA_CLOUD_ENDPOINT=gw.example.com
	asked_at "... at another URL" gw.example.com:8443 $key ALIBABA_CLOUD_ENDPOINT=https://gw.example.com:8443/
	asked_at "... one for this product alone" sts.example.com $key ALIBABA_CLOUD_ENDPOINT=gw.example.com ALIBABA_CLOUD_STS_ENDPOINT=sts.example.com
	asked_at "STS for OIDC" sts.cn-hangzhou.aliyuncs.com $oidc
	asked_at "... whatever the calls go to" sts.cn-hangzhou.aliyuncs.com $oidc ALIBABA_CLOUD_ENDPOINT=gw.example.com ALIBABA_CLOUD_STS_ENDPOINT=sts.example.com
	asked_at "... of a region" sts.eu-z.aliyuncs.com $oidc ALIBABA_CLOUD_STS_REGION=eu-z
	asked_at "... within the VPC" sts-vpc.eu-z.aliyuncs.com $oidc ALIBABA_CLOUD_STS_REGION=eu-z ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED=true
}
profile RamRoleArn "$own"'"ram_role_arn": "r", "ram_session_name": "s", "sts_region": "eu-z", "enable_vpc": true,'
asked_at "STS for a profile within the VPC" sts-vpc.eu-z.aliyuncs.com
rm home/.aliyun/config.json
mv home/.alibabacloud/credentials kept.ini
# Each product at a host of its own, or at that of all; on loopback without a certificate, too.
stack_file
alone="env -u SMCCTL_CLOUD_ENDPOINT -u SMCCTL_CLOUD_SPEED https_proxy=http://127.0.0.1:1 ALIBABA_CLOUD_RETRY_COUNT=0"
# shellcheck disable=SC2086
{
	gives 0 "all products at one host" $alone $key ALIBABA_CLOUD_ENDPOINT=http://127.0.0.1:$port "$smcctl" cloud plan stack.json
	gives 5 "one product at another host" $alone $key ALIBABA_CLOUD_ENDPOINT=http://127.0.0.1:$port ALIBABA_CLOUD_VPC_ENDPOINT=gw.example.com "$smcctl" cloud plan stack.json
	says err "^smcctl: call '[A-Za-z]*': gw.example.com: "
	gives 5 "one product at its own" $alone $key ALIBABA_CLOUD_ECS_ENDPOINT=http://127.0.0.1:$port "$smcctl" cloud plan stack.json
	says err "^smcctl: call '[A-Za-z]*': vpc.aliyuncs.com: "
}
for endpoint in http://example.com 'a b' user@example.com ftp://example.com example.com/x; do
	gives 64 "no endpoint: $endpoint" env ALIBABA_CLOUD_VPC_ENDPOINT="$endpoint" "$smcctl" cloud whoami
	says err "^smcctl: ALIBABA_CLOUD_VPC_ENDPOINT '.*': not a host, nor an https address of one$"
done

# The metadata service is asked past the proxy, and the service then is not.
: >double/ways
gives 5 "a proxy" env -u SMCCTL_CLOUD_ENDPOINT -u SMCCTL_CLOUD_SPEED http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 \
	ALIBABA_CLOUD_RETRY_COUNT=0 "$smcctl" cloud whoami --region cn-x
says err "^smcctl: call 'GetCallerIdentity': sts.cn-x.aliyuncs.com: "
holds "... is not used for the metadata service" grep -F 'meta-data/ram/security-credentials/the-role' double/ways
mv kept.ini home/.alibabacloud/credentials
for url in http://example.com http://100.100.100.200 http://127.0.0.1.example.com; do
	gives 64 "the hook for tests: no metadata service at $url" env SMCCTL_CLOUD_METADATA=$url "$smcctl" cloud whoami
done

# What does not serve is an error that shows nothing of it.
bad() { # NAME REGEX
	gives 1 "$1" "$smcctl" cloud whoami
	lines err 1 "... is one line"
	says err "$2"
	holds "... and shows no secret" sh -c '! grep -q secret-text out err'
}
profile CloudSSO '"access_token": "secret-text",'
bad "a mode that we do not know" "mode 'CloudSSO' is not one of"
profile AK '"access_key_id": "secret-text",'
bad "half a key in the profile" "the profile has no access key"
profile AK "$own"
echo '{ "profiles": [ { "access_key_secret": "secret-text" ' >home/.aliyun/config.json
bad "JSON that ends early" "config.json': not a JSON object; its text is not shown"
rm home/.aliyun/config.json
ini '[default]' 'secret-text without an equals sign'
bad "an INI line that is none" "line 2 is neither"
ini '[somebody]' 'access_key_id = secret-text'
bad "an INI file without the section" "has no section"
ini '[default]' 'type = access_key' 'access_key_id = testid' 'access_key_secret = testsecret'
chmod 644 home/.alibabacloud/credentials
gives 0 "a file that others can read" "$smcctl" cloud whoami
says err "others can read it; chmod 600"
chmod 600 home/.alibabacloud/credentials
ini '[default]' 'type = access_key' 'access_key_id = testid' 'access_key_secret = secret-text'
gives 77 "a wrong secret" "$smcctl" cloud whoami
says err "SignatureDoesNotMatch: .*; the service has signed the same request, so the secret does not belong to the access key$"
holds "... is not shown" sh -c '! grep -q secret-text out err'
gives 77 "debug shows each call" "$smcctl" cloud whoami --debug
says err "^smcctl: call GetCallerIdentity: HTTP 400, SignatureDoesNotMatch"
holds "... and no key" sh -c '! grep -Eq "secret-text|Authorization|Signature=" out err'

# What stands between: the endpoint and the clocks.
ini '[default]' 'type = access_key' 'access_key_id = testid' 'access_key_secret = testsecret'
gives 0 "whoami says where it asks" "$smcctl" cloud whoami --region cn-hangzhou --json
holds "... and that the clocks agree" json "d['endpoint'] == 'https://sts.cn-hangzhou.aliyuncs.com' and abs(d['clock_off_s']) <= 5"
lines err 0 "... without a word"
ctl set '{"clockOff":500}'
gives 0 "a clock that is behind" "$smcctl" cloud whoami --region cn-hangzhou --json
holds "... by how much" json "-505 <= d['clock_off_s'] <= -495"
says err "^smcctl: clock: it is [0-9]+ s behind the service's, which takes 15 minutes at most; set it$"
ctl set '{"clockOff":-500}'
gives 0 "a clock that is ahead" "$smcctl" cloud whoami --region cn-hangzhou
says out "^clock off, s +(49|50)[0-9]$"
says err "^smcctl: clock: it is [0-9]+ s ahead of the service's"
ctl set '{"clockOff":0}'

# TLS: a certificate of somebody else is refused.
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=fakecloud -addext subjectAltName=DNS:sts.cn-hangzhou.aliyuncs.com -keyout key.pem -out cert.pem 2>/dev/null
export ALIBABA_CLOUD_ACCESS_KEY_ID=testid ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsecret
double --tls cert.pem key.pem
export SMCCTL_CLOUD_ENDPOINT=https://127.0.0.1:$port
gives 1 "a certificate that nobody signed" "$smcctl" cloud whoami --region cn-hangzhou
says err "certificate"
cat cert.pem >>/etc/ssl/certs/ca-certificates.crt
gives 0 "one that the system trusts" "$smcctl" cloud whoami --region cn-hangzhou
gives 1 "one of another host" "$smcctl" cloud whoami --region cn-x
says err "^smcctl: call 'GetCallerIdentity': sts.cn-x.aliyuncs.com: "
finish
