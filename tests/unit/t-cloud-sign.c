/* SPDX-License-Identifier: MIT */
/* Tests of the signature: the vendor's public examples and vectors that its own code and an independent one agree on. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ctl/cloud/params.h"
#include "ctl/cloud/sign.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define NAMES "host;x-acs-action;x-acs-content-sha256;x-acs-date;"
#define HOST "ecs.cn-shanghai.aliyuncs.com"

struct vector {
	struct sign_request request;
	const char *body_hash;
	const char *request_hash; /* NULL: not published */
	const char *names;
	const char *signature;
};

/* clang-format off */
static const struct vector vector_a = {
	.request = {.method = "POST", .host = HOST, .action = "RunInstances", .version = "2014-05-26",
		.query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai", .body = "",
		.date = "2023-10-26T10:22:32Z", .nonce = "3156853299f313e23d1673dc12e1703d",
		.key_id = "YourAccessKeyId", .secret = "YourAccessKeySecret"},
	.body_hash = EMPTY,
	.request_hash = "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259",
	.names = NAMES "x-acs-signature-nonce;x-acs-version",
	.signature = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0",
};

static const struct vector vector_b = {
	.request = {.method = "POST", .host = HOST, .action = "CreateNetworkInterface", .version = "2014-05-26",
		.body = "", .date = "2023-10-26T10:22:32Z", .nonce = "3156853299f313e23d1673dc12e1703d",
		.key_id = "testid", .secret = "testsecret", .token = "STS+tok/en=="},
	.body_hash = EMPTY,
	.names = NAMES "x-acs-security-token;x-acs-signature-nonce;x-acs-version",
	.signature = "1465d74267e7a3de5138c02e61229087bc258bcdcd4624fa96d9f721761c1f86",
};

static const struct vector vector_c = {
	.request = {.method = "POST", .host = HOST, .action = "AssumeRole", .version = "2015-04-01", .query = "",
		.content_type = "application/x-www-form-urlencoded",
		.body = "OIDCToken=abc&RoleArn=acs%3Aram%3A%3A1%3Arole%2Fx", .date = "2023-10-26T10:22:32Z",
		.nonce = "3156853299f313e23d1673dc12e1703d", .key_id = "testid", .secret = "testsecret"},
	.body_hash = "f5838b292505f653afc527b7e6bb76f840727a2af3fc0189f1e3b56482cfb6b2",
	.names = "content-type;" NAMES "x-acs-signature-nonce;x-acs-version",
	.signature = "6e4d0192c1146335d6538f30d77125c4598a431fa8ba550cf7bd295a75233472",
};
/* clang-format on */

static void check(const struct vector *vector, const char *query)
{
	_cleanup_signature_ struct signature made = {.authorization = NULL};
	struct sign_request request = vector->request;
	char expected[512];

	if (query)
		request.query = query;
	assert_int_equal(sign_request(&request, &made), 0);
	assert_string_equal(made.body_hash, vector->body_hash);
	if (vector->request_hash)
		assert_string_equal(made.request_hash, vector->request_hash);
	assert_string_equal(made.signature, vector->signature);
	snprintf(expected, sizeof(expected), "ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s",
		request.key_id, vector->names, vector->signature);
	assert_string_equal(made.authorization, expected);
}

static void test_a(void **state)
{
	(void)state;
	check(&vector_a, NULL);
}

static void test_b(void **state)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_free_ char *query = NULL;

	(void)state;
	cloud_params_add(&params, "VSwitchId", "vsw-1");
	cloud_params_add(&params, "SecurityGroupIds.2", "sg-2");
	cloud_params_add(&params, "SecurityGroupIds.10", "sg-10");
	cloud_params_tag(&params, 1, "smcctl", "");
	cloud_params_add(&params, "Description", "a b*c!'()~\xe4\xb8\xad+&=/");
	cloud_params_addf(&params, "SecurityGroupIds.1", "sg-%d", 1);
	cloud_params_add(&params, "RegionId", "cn-hangzhou");
	cloud_params_add(&params, "Left.Out", NULL);
	assert_int_equal(cloud_params_query(&params, &query), 0);
	assert_string_equal(query,
		"Description=a%20b%2Ac%21%27%28%29~%E4%B8%AD%2B%26%3D%2F&RegionId=cn-hangzhou&SecurityGroupIds.1=sg-1"
		"&SecurityGroupIds.10=sg-10&SecurityGroupIds.2=sg-2&Tag.1.Key=smcctl&Tag.1.Value=&VSwitchId=vsw-1");
	check(&vector_b, query);
}

static void test_c(void **state)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_free_ char *body = NULL;

	(void)state;
	cloud_params_add(&params, "RoleArn", "acs:ram::1:role/x");
	cloud_params_add(&params, "OIDCToken", "abc");
	assert_int_equal(cloud_params_query(&params, &body), 0);
	assert_string_equal(body, vector_c.request.body);
	check(&vector_c, NULL);
}

/* The old signature, V1, from the encoder and the sorting alone: HMAC-SHA1 of METHOD&%2F&encoded(query). */
static void test_d(void **state)
{
	static const char *const pairs[][2] = {{"Timestamp", "2016-02-23T12:46:24Z"}, {"Format", "XML"},
		{"AccessKeyId", "testid"}, {"Action", "DescribeRegions"}, {"SignatureMethod", "HMAC-SHA1"},
		{"SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"}, {"Version", "2014-05-26"},
		{"SignatureVersion", "1.0"}};
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_cloud_params_ struct cloud_params outer = {.items = NULL};
	_cleanup_free_ char *query = NULL;
	_cleanup_free_ char *twice = NULL;
	_cleanup_free_ char *to_sign = NULL;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char text[64];
	unsigned size = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		cloud_params_add(&params, pairs[i][0], pairs[i][1]);
	assert_int_equal(cloud_params_query(&params, &query), 0);
	cloud_params_add(&outer, "x", query);
	assert_int_equal(cloud_params_query(&outer, &twice), 0);
	assert_true(asprintf(&to_sign, "GET&%%2F&%s", twice + 2) > 0);
	assert_non_null(HMAC(EVP_sha1(), "testsecret&", 11, (unsigned char *)to_sign, strlen(to_sign), digest, &size));
	EVP_EncodeBlock(text, digest, (int)size);
	assert_string_equal((char *)text, "OLeaidS1JvxuMvnyHOwuJ+uX5qY=");
}

static void test_date_and_nonce(void **state)
{
	char date[SIGN_DATE];
	char one[SIGN_NONCE], two[SIGN_NONCE];

	(void)state;
	setenv("TZ", "Asia/Shanghai", 1);
	sign_date(1698315752, date);
	assert_string_equal(date, "2023-10-26T10:22:32Z");
	assert_int_equal(sign_nonce(one), 0);
	assert_int_equal(sign_nonce(two), 0);
	assert_string_not_equal(one, two);
	assert_int_equal(strlen(one), 32);
	assert_int_equal(strspn(one, "0123456789abcdef"), 32);
}

static void test_parse(void **state)
{
	static const char *const bad[] = {"a", "=b", "a=%zz", "a=%2", "a=%00", "a=b&&c=d", "a=%2f"};
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_free_ char *again = NULL;
	const char *query = "A=a%20b%2Ac&Empty=&Z.1=%E4%B8%AD";

	(void)state;
	assert_int_equal(cloud_params_parse(query, &params), 0);
	assert_int_equal(params.count, 3);
	assert_string_equal(params.items[0].value, "a b*c");
	assert_int_equal(cloud_params_query(&params, &again), 0);
	assert_string_equal(again, query);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cloud_params none = {.items = NULL};

		assert_true(cloud_params_parse(bad[i], &none) < 0);
		assert_null(none.items);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a),
		cmocka_unit_test(test_b),
		cmocka_unit_test(test_c),
		cmocka_unit_test(test_d),
		cmocka_unit_test(test_date_and_nonce),
		cmocka_unit_test(test_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
