/* SPDX-License-Identifier: MIT */
/* Tests of the small parts of smcctl cloud: classes of errors, endpoints, waiting, files of credentials, replies, the state. */
#include "config.h"

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ctl/cloud/credentials.h"
#include "ctl/cloud/state.h"
#include "ctl/cloud/then-host.h"
#include "ctl/cloud/world.h"

/* Every row of the reference's table of classes, and the neighbours that look alike. */
static void test_classes(void **state)
{
	static const struct {
		long status;
		const char *code;
		enum cloud_class class;
		enum ctl_exit exit;
	} rows[] = {
		{200, "", CLOUD_FINE, CTL_FAILED},
		{400, "DryRunOperation", CLOUD_FINE, CTL_FAILED},
		{400, "DRYRUN.SUCCESS", CLOUD_FINE, CTL_FAILED},
		{400, "Throttling", CLOUD_THROTTLED, CTL_PARTLY},
		{400, "Throttling.User", CLOUD_THROTTLED, CTL_PARTLY},
		{503, "Throttling.Api", CLOUD_THROTTLED, CTL_PARTLY},
		{400, "Throttling.ConcurrentLimitExceeded", CLOUD_THROTTLED, CTL_PARTLY},
		{400, "Rejected.Throttling", CLOUD_THROTTLED, CTL_PARTLY},
		{429, "", CLOUD_THROTTLED, CTL_PARTLY},
		{500, "", CLOUD_AGAIN, CTL_PARTLY},
		{503, "ServiceUnavailable", CLOUD_AGAIN, CTL_PARTLY},
		{500, "InternalError", CLOUD_AGAIN, CTL_PARTLY},
		{400, "SystemBusy", CLOUD_AGAIN, CTL_PARTLY},
		{400, "OperationFailed.SystemBusy", CLOUD_AGAIN, CTL_PARTLY},
		{400, "LastTokenProcessing", CLOUD_IN_FLIGHT, CTL_PARTLY},
		{400, "IdempotentProcessing", CLOUD_IN_FLIGHT, CTL_PARTLY},
		{400, "OperationConflict", CLOUD_BUSY, CTL_PARTLY},
		{400, "Operation.Conflict", CLOUD_BUSY, CTL_PARTLY},
		{400, "InvalidOperation.Conflict", CLOUD_BUSY, CTL_PARTLY},
		{400, "TaskConflict", CLOUD_BUSY, CTL_PARTLY},
		{400, "TaskConflict.X", CLOUD_BUSY, CTL_PARTLY},
		{400, "IncorrectVSwitchStatus", CLOUD_BUSY, CTL_PARTLY},
		{403, "IncorrectInstanceStatus.Initializing", CLOUD_BUSY, CTL_PARTLY},
		{400, "InvalidOperation.InvalidEniState", CLOUD_BUSY, CTL_PARTLY},
		{400, "FrequentPurchase.EIP", CLOUD_BUSY, CTL_PARTLY},
		{400, "Mode.Conflict", CLOUD_STOP, CTL_FAILED},
		{400, "IdempotentParameterMismatch", CLOUD_MISMATCH, CTL_FAILED},
		{404, "InvalidEniId.NotFound", CLOUD_GONE, CTL_FAILED},
		{404, "InvalidAllocationId.NotFound", CLOUD_GONE, CTL_FAILED},
		{400, "InvalidParam.SecurityGroupRuleId", CLOUD_GONE, CTL_FAILED},
		{404, "InvalidAccessKeyId.NotFound", CLOUD_DENIED, CTL_NOT_PERMITTED},
		{400, "SignatureDoesNotMatch", CLOUD_DENIED, CTL_NOT_PERMITTED},
		{403, "Forbidden.RAM", CLOUD_DENIED, CTL_NOT_PERMITTED},
		{403, "", CLOUD_DENIED, CTL_NOT_PERMITTED},
		{400, "InvalidSecurityToken.Expired", CLOUD_EXPIRED, CTL_NOT_PERMITTED},
		{403, "MaxEniCountExceeded", CLOUD_STOP, CTL_FAILED},
		{403, "Forbidden.InstanceBandwidthNotZero", CLOUD_STOP, CTL_FAILED},
		{403, "InvalidResourceType.NotSupported", CLOUD_STOP, CTL_CANNOT},
		{400, "InvalidSourceCidrIp.Malformed", CLOUD_STOP, CTL_FAILED},
		{302, "", CLOUD_STOP, CTL_FAILED},
		{400, "IdempotentFailed", CLOUD_STOP, CTL_FAILED},
		{400, "MissingParameter", CLOUD_STOP, CTL_FAILED},
		{400, "MissingParameter.Source", CLOUD_STOP, CTL_FAILED},
		{400, "InsufficientBalance", CLOUD_STOP, CTL_FAILED},
		{403, "InvalidAccountStatus.NotEnoughBalance", CLOUD_STOP, CTL_FAILED},
		{400, "QuotaExceeded.PrivateIpAddress", CLOUD_STOP, CTL_FAILED},
		{400, "QuotaExceed.ElasticQuota", CLOUD_STOP, CTL_FAILED},
		{403, "NoPermission", CLOUD_DENIED, CTL_NOT_PERMITTED},
		{403, "NoPermission.X", CLOUD_DENIED, CTL_NOT_PERMITTED},
		{400, "InvalidTimeStamp.Expired", CLOUD_DENIED, CTL_NOT_PERMITTED},
		{400, "IncompleteSignature", CLOUD_DENIED, CTL_NOT_PERMITTED},
		{400, "InvalidBindingStatus", CLOUD_BUSY, CTL_PARTLY},
		{400, "InvalidStatus.EcsStatusNotSupport", CLOUD_BUSY, CTL_PARTLY},
		{400, "InvalidStatus.EniStatusNotSupport", CLOUD_BUSY, CTL_PARTLY},
		{400, "InvalidOperation.InvalidEcsState", CLOUD_BUSY, CTL_PARTLY},
		{400, "OperationFailed.EcsMigrating", CLOUD_BUSY, CTL_PARTLY},
		{403, "Forbidden.ChargeTypeIsPrepaid", CLOUD_STOP, CTL_FAILED},
		{404, "InvalidSecurityGroupId.NotFound", CLOUD_GONE, CTL_FAILED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum cloud_class class = errors_class(rows[i].status, rows[i].code);

		if (class != rows[i].class)
			print_message("%ld %s\n", rows[i].status, rows[i].code);
		assert_int_equal(class, rows[i].class);
		assert_int_equal(errors_exit(class, rows[i].code), rows[i].exit);
	}
	assert_non_null(errors_remedy("OperationDenied.NoStock"));
	assert_null(errors_remedy("Unheard.Of"));
}

static void check_endpoint(
	enum cloud_product product, const char *region, const char *override, bool inside, const char *url)
{
	_cleanup_endpoint_ struct endpoint endpoint = {.url = NULL};
	int r = endpoint_find(product, region, override, inside, &endpoint);

	assert_int_equal(r, url ? 0 : -EINVAL);
	if (!url)
		return;
	assert_string_equal(endpoint.url, url);
	assert_string_equal(endpoint.host, strstr(url, "://") + 3);
}

static void test_endpoints(void **state)
{
	(void)state;
	check_endpoint(CLOUD_ECS, "cn-shanghai", NULL, false, "https://ecs.cn-shanghai.aliyuncs.com");
	check_endpoint(CLOUD_ECS, "cn-hangzhou", NULL, false, "https://ecs-cn-hangzhou.aliyuncs.com");
	check_endpoint(CLOUD_ECS, "cn-hangzhou", NULL, true, "https://ecs-vpc.cn-hangzhou.aliyuncs.com");
	check_endpoint(CLOUD_ECS, "cn-shenzhen-finance-1", NULL, false, "https://ecs-cn-hangzhou.aliyuncs.com");
	check_endpoint(CLOUD_ECS, "cn-north-2-gov-1", NULL, false, "https://ecs.aliyuncs.com");
	check_endpoint(CLOUD_VPC, "cn-shanghai-finance-1", NULL, false, "https://vpc.aliyuncs.com");
	check_endpoint(CLOUD_VPC, "cn-hangzhou", NULL, true, "https://vpc-vpc.cn-hangzhou.aliyuncs.com");
	check_endpoint(
		CLOUD_STS, "cn-shanghai-finance-1", NULL, false, "https://sts.cn-shanghai-finance-1.aliyuncs.com");
	check_endpoint(CLOUD_VPC, "us-west-1", NULL, false, "https://vpc.us-west-1.aliyuncs.com");
	check_endpoint(CLOUD_STS, "cn-hangzhou", NULL, true, "https://sts-vpc.cn-hangzhou.aliyuncs.com");
	check_endpoint(CLOUD_ECS, "evil.com/", NULL, false, NULL);
	check_endpoint(CLOUD_ECS, "cn-hangzhou", "http://127.0.0.1:80/", false, "http://127.0.0.1:80");
	check_endpoint(CLOUD_ECS, "", "gw.example.com:8443", false, "https://gw.example.com:8443");
	check_endpoint(CLOUD_ECS, "cn-hangzhou", "http://example.com", false, NULL);
	check_endpoint(CLOUD_ECS, "cn-hangzhou", "user@example.com", false, NULL);
	check_endpoint(CLOUD_ECS, "cn-hangzhou", "example.com/path", false, NULL);
	assert_true(endpoint_is_loopback("https://localhost") && endpoint_is_loopback("http://[::1]:8"));
	assert_false(endpoint_is_loopback("http://127.0.0.1.evil.com"));
	assert_false(endpoint_is_loopback("http://127.0.0.1:1@evil.com"));
	assert_false(endpoint_is_loopback("http://localhost/\r\nX: y"));
	assert_false(endpoint_region_valid("c") || endpoint_region_valid("") || endpoint_region_valid("cn-") ||
		endpoint_region_valid("cn-a--b") || endpoint_region_valid("cn-A"));
}

static void test_waiting(void **state)
{
	struct cloud_clock clock = {.speed = 1000};
	uint64_t total = 0;

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		uint64_t pause = clock_backoff(i % 20, 1000, 20000);
		uint64_t limit = i % 20 < 5 ? UINT64_C(1000) << i % 20 : 20000;

		assert_true(pause >= limit / 10 && pause <= limit);
	}
	/* The vendor's limits count by the minute: giving up must take longer than that. */
	for (unsigned i = 0; i < 60; i++)
		total += clock_backoff(i, 1000, 20000) / 2;
	assert_true(total > 60000);
	clock_limit(&clock, 10);
	assert_true(clock_wait(&clock, 1000));
	assert_false(clock_wait(&clock, 60000));
}

static void check_profile(
	int (*read)(const char *, size_t, const char *, struct credential_profile *, struct credential_problem *),
	const char *text, const char *name, int expected, const char *id)
{
	_cleanup_credential_profile_ struct credential_profile profile = {.mode = NULL};
	struct credential_problem problem = {.why = ""};

	assert_int_equal(read(text, strlen(text), name, &profile, &problem), expected);
	assert_null(strstr(problem.why, "secret-text"));
	assert_int_equal(problem.why[0] != 0, expected < 0);
	if (id)
		assert_string_equal(profile.id, id);
}

static void test_files(void **state)
{
	static const char ini[] =
		"; c\r\n[default]\r\n type = access_key \r\naccess_key_id=a=b\naccess_key_secret = secret-text\n[x]\n"
		"access_key_id = c\nunknown = 1\n";
	static const char json[] = "{\"current\":\"b\",\"profiles\":[{\"name\":\"a\",\"access_key_id\":\"1\"},"
				   "{\"name\":\"b\",\"access_key_id\":\"2\",\"expired_seconds\":900}]}";

	(void)state;
	check_profile(credentials_read_ini, ini, NULL, 0, "a=b");
	check_profile(credentials_read_ini, ini, "x", 0, "c");
	check_profile(credentials_read_ini, ini, "y", -ENOENT, NULL);
	check_profile(credentials_read_ini, "", NULL, -ENOENT, NULL);
	check_profile(credentials_read_ini, "[", NULL, -EINVAL, NULL);
	check_profile(credentials_read_ini, "secret-text\n[default]\n", NULL, -EINVAL, NULL);
	check_profile(credentials_read_ini, "[default]\nsecret-text", NULL, -EINVAL, NULL);
	check_profile(credentials_read_profile, json, NULL, 0, "2");
	check_profile(credentials_read_profile, json, "a", 0, "1");
	check_profile(credentials_read_profile, json, "c", -ENOENT, NULL);
	check_profile(credentials_read_profile, "{\"secret-text", NULL, -EINVAL, NULL);
	check_profile(credentials_read_profile, "[\"secret-text\"]", NULL, -EINVAL, NULL);
	check_profile(credentials_read_profile, "{\"profiles\":\"secret-text\"}", NULL, -EINVAL, NULL);
}

static void check_reply(long status, const char *body, enum cloud_class class, const char *code)
{
	char copy[512];
	struct http_reply http = {.status = status, .body = body ? copy : NULL, .size = body ? strlen(body) : 0};
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};

	snprintf(copy, sizeof(copy), "%s", body ? body : "");
	rpc_read(&http, NULL, &reply);
	assert_int_equal(reply.class, class);
	assert_string_equal(reply.code, code);
}

static void test_replies(void **state)
{
	(void)state;
	check_reply(200, "{\"RequestId\":\"r\"}", CLOUD_FINE, "");
	check_reply(400, "{\"RequestId\":\"r\",\"Code\":\"Throttling.User\",\"Message\":\"m\"}", CLOUD_THROTTLED,
		"Throttling.User");
	check_reply(200, "{\"RequestId\":\"r", CLOUD_AGAIN, "");
	check_reply(200, NULL, CLOUD_AGAIN, "");
	check_reply(200, "[]", CLOUD_AGAIN, "");
	check_reply(503, "<html>", CLOUD_AGAIN, "");
	check_reply(404, "{\"Code\":7}", CLOUD_STOP, "");
}

static char *reply_text(const char *message, const struct rpc_call *call)
{
	_cleanup_rpc_reply_ struct rpc_reply reply = {.json = NULL};
	struct http_reply http = {.status = 400};
	char *text;

	assert_true(asprintf(&http.body, "{\"Code\":\"X\",\"Message\":\"%s\"}", message) > 0);
	http.size = strlen(http.body);
	rpc_read(&http, call, &reply);
	http_reply_clear(&http);
	text = strdup(reply.text);
	assert_non_null(text);
	return text;
}

/* What the service quotes of us is printed without what nobody may see. */
static void test_hiding(void **state)
{
	char id[] = "LTAI5tExample", secret[] = "s/cret+==", token[] = "t0ken";
	const struct cloud_credential credential = {.id = id, .secret = secret, .token = token};
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	const struct rpc_call call = {.credential = &credential, .params = &params};
	const struct rpc_call form = {.params = &params};
	static const char *const rows[][2] = {
		{"key LTAI5tExample, LTAI5tExample", "key LTAI***, LTAI***"},
		{"s/cret+== t0kent0ken", "*** ******"},
		{"s\\/cret\\u002b==", "***"},
		{"a=s%2Fcret%2B%3D%3D&b", "a=***&b"},
		{"s/cret", "s/cret"},
	};
	char message[1024], *text;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text = reply_text(rows[i][0], &call);
		assert_string_equal(text, rows[i][1]);
		free(text);
	}
	cloud_params_add(&params, "RoleArn", "arn");
	cloud_params_add(&params, "OIDCToken", "eyJ.oidc");
	text = reply_text("token eyJ.oidc of arn", &form);
	assert_string_equal(text, "token *** of arn");
	free(text);
	/* Where the text is cut off, half of it would be left. */
	memset(message, '.', sizeof(message));
	snprintf(message + 506, sizeof(message) - 506, "%s", secret);
	text = reply_text(message, &call);
	assert_null(strstr(text, "s/c"));
	free(text);
}

static void test_signature_judged(void **state)
{
#define ONE_HASH "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
	static const char other[] = "0ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259";

	(void)state;
	assert_non_null(strstr(rpc_judge_signature("server string to sign is:ACS3-HMAC-SHA256\n" ONE_HASH, ONE_HASH),
		"the secret does not belong to the access key"));
	assert_non_null(
		strstr(rpc_judge_signature("server string to sign is:ACS3-HMAC-SHA256\n" ONE_HASH, other), "proxy"));
	assert_null(rpc_judge_signature("not matched", other));
	assert_null(rpc_judge_signature(ONE_HASH "ab", other));
}

/* Set while blocks are looked into before they are freed. */
static bool found_secret;

static void look_and_free(void *block)
{
	if (block && memmem(block, malloc_usable_size(block), "role-secret", 11))
		found_secret = true;
	free(block);
}

/* A reply of STS or the metadata service leaves nothing of its secret in the memory. */
static void test_wiping(void **state)
{
	static char text[] = "{\"Credentials\":{\"AccessKeyId\":\"STS.x\",\"AccessKeySecret\":\"role-secret\","
			     "\"SecurityToken\":\"role-secret\",\"Expiration\":\"2026-11-22T00:00:00Z\"}}";
	cJSON_Hooks hooks = {malloc, look_and_free};
	struct http_reply http = {.status = 200, .body = text, .size = strlen(text)};
	_cleanup_cloud_credential_ struct cloud_credential credential = {.id = NULL};
	struct rpc_reply reply;
	char *flat;

	(void)state;
	flat = strndup(text + strlen("{\"Credentials\":"), strlen(text) - strlen("{\"Credentials\":") - 1);
	assert_non_null(flat);
	cJSON_InitHooks(&hooks);
	found_secret = false;
	rpc_read(&http, NULL, &reply);
	assert_non_null(reply.json);
	rpc_reply_clear(&reply);
	assert_false(found_secret);
	assert_int_equal(credentials_read_text(flat, "x", &credential), 0);
	assert_string_equal(credential.secret, "role-secret");
	assert_false(found_secret);
	/* The hook does look. */
	cJSON_Delete(cJSON_Parse(flat));
	assert_true(found_secret);
	cJSON_InitHooks(NULL);
	free(flat);
}

#define REST ",\"stack\":\"s\",\"region\":\"r\",\"resources\":"
#define ONE "{\"name\":\"a\",\"id\":\"i\"}"

static void test_state(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"version\":2" REST "[]}",
		"{\"version\":1" REST "[{\"name\":\"a\"}]}",
		"{\"version\":1" REST "[" ONE "," ONE "]}",
		"{\"version\":1" REST "[],\"pending\":{\"name\":\"a\"}}",
	};
	char directory[] = "/tmp/t-cloud-parts-XXXXXX";
	_cleanup_state_ struct state one = {.path = NULL};
	_cleanup_state_ struct state two = {.path = NULL};
	_cleanup_free_ char *path = NULL;
	struct state_resource *resource;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_true(asprintf(&path, "%s/state", directory) > 0);
	assert_int_equal(state_load(path, &one), 0);
	assert_int_equal(one.count, 0);
	snprintf(one.stack, sizeof(one.stack), "s");
	snprintf(one.region, sizeof(one.region), "cn-x");
	resource = state_set(&one, "rule/a", "sgr-1");
	assert_non_null(resource);
	resource->pre_existing = true;
	resource->created = 1795253890;
	assert_non_null(state_set(&one, "address", "eip-1"));
	assert_int_equal(state_begin(&one, "address", "AssociateEipAddress", "token", "A=b%20c"), 0);
	assert_int_equal(state_save(&one), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(state_load(path, &two), 0);
	assert_int_equal(two.serial, 1);
	assert_int_equal(two.count, 2);
	assert_true(state_find(&two, "rule/a")->pre_existing && state_find(&two, "rule/a")->created == 1795253890);
	assert_string_equal(two.pending.request, "A=b%20c");
	assert_string_equal(two.instance, "");
	state_end(&two);
	state_remove(&two, "rule/a");
	state_remove(&two, "rule/none");
	assert_null(state_find(&two, "rule/a"));
	assert_string_equal(state_find(&two, "address")->id, "eip-1");
	unlink(path);
	rmdir(directory);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_state_ struct state none = {.path = NULL};

		assert_int_equal(state_parse(bad[i], strlen(bad[i]), &none), -EINVAL);
	}
}

/* A creation that nobody knows the end of stays in the file while other calls are noted, and comes first again. */
static void test_set_aside(void **state)
{
	char directory[] = "/tmp/t-cloud-parts-XXXXXX";
	_cleanup_state_ struct state one = {.path = NULL};
	_cleanup_state_ struct state two = {.path = NULL};
	_cleanup_free_ char *path = NULL;

	(void)state;
	assert_non_null(mkdtemp(directory));
	assert_true(asprintf(&path, "%s/state", directory) > 0);
	assert_int_equal(state_load(path, &one), 0);
	snprintf(one.stack, sizeof(one.stack), "s");
	snprintf(one.region, sizeof(one.region), "cn-x");
	snprintf(one.instance, sizeof(one.instance), "i-1");
	state_resume(&one);
	assert_null(one.pending.request);
	assert_int_equal(state_begin(&one, "address", "AllocateEipAddress", "token", "A=b"), 0);
	state_set_aside(&one);
	assert_null(one.pending.request);
	assert_int_equal(state_begin(&one, "interface/x", "DeleteNetworkInterface", "", "C=d"), 0);
	assert_int_equal(state_save(&one), 0);
	assert_int_equal(state_load(path, &two), 0);
	assert_string_equal(two.instance, "i-1");
	assert_string_equal(two.pending.action, "DeleteNetworkInterface");
	assert_string_equal(two.unknown.action, "AllocateEipAddress");
	state_resume(&two);
	assert_string_equal(two.pending.action, "AllocateEipAddress");
	assert_string_equal(two.pending.token, "token");
	assert_string_equal(two.pending.request, "A=b");
	assert_null(two.unknown.request);
	unlink(path);
	rmdir(directory);
}

static void test_new(void **state)
{
	struct cloud cloud = {.net = {.clock = {.speed = 1}}};
	uint64_t now = clock_wall(&cloud.net.clock);

	(void)state;
	assert_false(world_is_new(&cloud, 0));
	assert_true(world_is_new(&cloud, now) && world_is_new(&cloud, now - 50));
	assert_false(world_is_new(&cloud, now - 60));
	/* The clock was set back. */
	assert_true(world_is_new(&cloud, now + 50));
	assert_false(world_is_new(&cloud, now + 70));
}

/* What --then-host adds to a profile; what the profile has already stays. */
static void test_then_host(void **state)
{
	static const struct {
		const char *before;
		bool queues;
		const char *device;
		const char *after;
	} rows[] = {
		{"{}", false, NULL,
			"{\"smc\":{\"pnet\":[{\"id\":\"00163E0000AB\",\"interface\":\"eth1\"}]},\"nic\":{\"eth1\":"
			"\"soft\"}}"},
		{"{\"version\":1}", true, "erdma_0",
			"{\"version\":1,\"smc\":{\"pnet\":[{\"id\":\"00163E0000AB\",\"interface\":\"eth1\"},"
			"{\"id\":\"00163E0000AB\",\"device\":\"erdma_0\"}]},\"nic\":{\"eth1\":\"soft\"},\"xps\":{"
			"\"eth1\":\"irq\"}}"},
		{"{\"nic\":{\"eth1\":\"strict\"},\"xps\":{\"eth*\":\"numa\"},\"smc\":{\"ueids\":[\"A\"],\"pnet\":"
		 "[{\"id\":\"B\",\"interface\":\"eth1\"},{\"id\":\"C\",\"interface\":\"eth2\"}]}}",
			true, "erdma_0",
			"{\"nic\":{\"eth1\":\"strict\"},\"xps\":{\"eth*\":\"numa\"},\"smc\":{\"ueids\":[\"A\"],"
			"\"pnet\":"
			"[{\"id\":\"B\",\"interface\":\"eth1\"},{\"id\":\"C\",\"interface\":\"eth2\"},"
			"{\"id\":\"00163E0000AB\",\"device\":\"erdma_0\"}]}}"},
		{"{\"nic\":[],\"xps\":1,\"smc\":2}", true, "erdma_0", "{\"nic\":[],\"xps\":1,\"smc\":2}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON *profile = cJSON_Parse(rows[i].before);
		char *text;

		assert_int_equal(
			then_host_add(profile, "eth1", "00:16:3e:00:00:ab", rows[i].queues, rows[i].device), 0);
		text = cJSON_PrintUnformatted(profile);
		assert_string_equal(text, rows[i].after);
		cJSON_free(text);
		cJSON_Delete(profile);
	}
}

static bool has_tag(const char *kind, const char *resource)
{
	_cleanup_free_ char *text = NULL;
	struct world_object object;
	cJSON *item;

	if (asprintf(&text,
		    "{\"Tags\":{\"Tag\":[{\"TagKey\":\"smcctl:stack\",\"TagValue\":\"s\",\"Key\":\"smcctl:stack\","
		    "\"Value\":\"s\"},"
		    "{\"TagKey\":\"smcctl:resource\",\"TagValue\":\"%s\",\"Key\":\"smcctl:resource\",\"Value\":\"%s\"}]"
		    "}}",
		    resource, resource) < 0)
		text = NULL;
	item = cJSON_Parse(text);
	assert_non_null(item);
	if (strcmp(kind, "interface") == 0)
		world_of_interface(item, "s", &object);
	else if (strcmp(kind, "address") == 0)
		world_of_address(item, "s", &object);
	else
		world_of_instance(item, "s", &object);
	cJSON_Delete(item);
	return object.tagged;
}

/* Tags that were copied from another kind of object make nothing the stack's. */
static void test_tags(void **state)
{
	(void)state;
	assert_true(has_tag("interface", "interface/x") && has_tag("address", "address") &&
		has_tag("instance", "instance"));
	assert_false(
		has_tag("address", "interface/x") || has_tag("address", "instance") || has_tag("address", "rule/x"));
	assert_false(has_tag("instance", "address") || has_tag("instance", "interface/x"));
	assert_false(
		has_tag("interface", "address") || has_tag("interface", "instance") || has_tag("interface", "rule/x"));
	assert_false(has_tag("interface", "") || has_tag("interface", "x") || has_tag("interface", "interface/") ||
		has_tag("interface", "interface/X") || has_tag("interface", "interface/a/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classes),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_hiding),
		cmocka_unit_test(test_signature_judged),
		cmocka_unit_test(test_wiping),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_set_aside),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_then_host),
		cmocka_unit_test(test_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
