/* SPDX-License-Identifier: MIT */
/* One call of the service. */
#include "config.h"

#include "ctl/cloud/rpc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/cloud/secret.h"
#include "ctl/cloud/sign.h"

#define KEY_SHOWN 4u
#define MAX_HEADERS 12u
/* With a faster clock: still enough for a loaded machine. */
#define TIMEOUT_MIN_MS 3000

static const char *const versions[] = {
	[CLOUD_ECS] = "2014-05-26", [CLOUD_VPC] = "2016-04-28", [CLOUD_STS] = "2015-04-01"};

void cloud_credential_clear(struct cloud_credential *credential)
{
	secret_free(credential->id);
	secret_free(credential->secret);
	secret_free(credential->token);
	free(credential->region);
	*credential = (struct cloud_credential){.id = NULL};
}

void rpc_reply_clear(struct rpc_reply *reply)
{
	/* That of STS holds the secret of a role. */
	secret_tree_delete(reply->json);
	*reply = (struct rpc_reply){.json = NULL};
}

/* As it is, and as it stands in a query. */
static void hide(char *text, const char *secret, size_t shown)
{
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_secret_ char *query = NULL;

	if (!secret)
		return;
	secret_hide(text, secret, shown);
	cloud_params_add(&params, "", secret);
	if (cloud_params_query(&params, &query) == 0)
		secret_hide(text, query + strlen("="), shown);
	else
		text[0] = '\0';
}

/* Services quote what they refuse, and what they say is printed. */
static void hide_all(const struct rpc_call *call, char *text)
{
	if (call->credential) {
		hide(text, call->credential->secret, 0);
		hide(text, call->credential->token, 0);
		hide(text, call->credential->id, KEY_SHOWN);
	}
	for (size_t i = 0; i < call->params->count; i++) {
		const struct cloud_param *param = &call->params->items[i];

		if (strcmp(param->key, "OIDCToken") == 0 || strcmp(param->key, "ExternalId") == 0)
			hide(text, param->value, 0);
	}
}

static void copy_member(const cJSON *object, const char *name, const struct rpc_call *call, char *out, size_t size)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	if (!cJSON_IsString(member) || !member->valuestring[0])
		return;
	/* Before it is cut off: half a secret would not be found any more. */
	if (call)
		hide_all(call, member->valuestring);
	snprintf(out, size, "%s", member->valuestring);
}

/* RFC 9110, 5.6.7: always English, always GMT. */
static long long read_date(const char *text)
{
	struct tm tm = {.tm_sec = 0};
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end && !*end ? (long long)timegm(&tm) : 0;
}

void rpc_read(const struct http_reply *http, const struct rpc_call *call, struct rpc_reply *reply)
{
	*reply = (struct rpc_reply){
		.status = http->status, .retry_after = http->retry_after, .date = read_date(http->date)};
	snprintf(reply->request_id, sizeof(reply->request_id), "%s", http->request_id);
	if (call)
		hide_all(call, reply->request_id);
	if (http->body)
		reply->json = cJSON_ParseWithLength(http->body, http->size);
	if (reply->json && !cJSON_IsObject(reply->json)) {
		secret_tree_delete(reply->json);
		reply->json = NULL;
	}
	copy_member(reply->json, "RequestId", call, reply->request_id, sizeof(reply->request_id));
	if (http->status < 200 || http->status > 299 || cJSON_HasObjectItem(reply->json, "Code")) {
		copy_member(reply->json, "Code", call, reply->code, sizeof(reply->code));
		copy_member(reply->json, "Message", call, reply->text, sizeof(reply->text));
	}
	if (!reply->text[0])
		snprintf(reply->text, sizeof(reply->text), "HTTP status %ld%s", http->status,
			reply->json ? "" : ", and the reply is no JSON object");
	reply->class = errors_class(http->status, reply->code);
	/* A reply that was cut off may stand for something that has happened. */
	if (reply->class == CLOUD_FINE && !reply->json)
		reply->class = CLOUD_AGAIN;
}

/* Header lines that belong to one request. */
struct header_lines {
	char *line[MAX_HEADERS + 1];
	size_t count;
	bool no_memory;
};

static void header_lines_clear(struct header_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		secret_free(lines->line[i]);
}

static void add_line(struct header_lines *lines, const char *name, const char *value)
{
	char *line;

	if (!value || lines->count == MAX_HEADERS)
		return;
	if (asprintf(&line, "%s:%s%s", name, *value ? " " : "", value) < 0)
		lines->no_memory = true;
	else
		lines->line[lines->count++] = line;
}

static int sign_lines(
	const struct sign_request *request, struct header_lines *lines, char request_hash[static SIGN_HEX])
{
	_cleanup_signature_ struct signature signature = {.authorization = NULL};
	int r = sign_request(request, &signature);

	if (r < 0)
		return r;
	memcpy(request_hash, signature.request_hash, SIGN_HEX);
	add_line(lines, "Accept", "application/json");
	/* libcurl would add one of its own, which then had to be signed. */
	add_line(lines, "Content-Type", "");
	add_line(lines, "Expect", "");
	add_line(lines, "x-acs-action", request->action);
	add_line(lines, "x-acs-version", request->version);
	add_line(lines, "x-acs-date", request->date);
	add_line(lines, "x-acs-signature-nonce", request->nonce);
	add_line(lines, "x-acs-content-sha256", signature.body_hash);
	add_line(lines, "x-acs-security-token", request->token);
	add_line(lines, "Authorization", signature.authorization);
	return lines->no_memory ? -ENOMEM : 0;
}

/* Where it goes, and how long it may take. */
static void aim(const struct cloud_net *net, const struct endpoint *endpoint, struct http_request *http)
{
	const long speed = (long)net->clock.speed;

	http->connect = endpoint->connect;
	http->connect_ms = (long)net->connect_s * 1000 / speed;
	http->timeout_ms = (long)(net->connect_s + net->read_s) * 1000 / speed;
	if (http->connect_ms < TIMEOUT_MIN_MS && speed > 1)
		http->connect_ms = TIMEOUT_MIN_MS;
	if (http->timeout_ms < TIMEOUT_MIN_MS && speed > 1)
		http->timeout_ms = TIMEOUT_MIN_MS;
}

static int send_signed(struct cloud_net *net, const struct rpc_call *call, const struct endpoint *endpoint,
	struct http_reply *reply, char request_hash[static SIGN_HEX])
{
	__attribute__((cleanup(header_lines_clear))) struct header_lines lines = {.count = 0};
	_cleanup_free_ char *query = NULL;
	_cleanup_free_ char *url = NULL;
	char date[SIGN_DATE];
	char nonce[SIGN_NONCE];
	struct sign_request request = {.method = "POST",
		.host = endpoint->host,
		.action = call->action,
		.version = versions[call->product],
		.body = "",
		.date = date,
		.nonce = nonce,
		.key_id = call->credential->id,
		.secret = call->credential->secret,
		.token = call->credential->token};
	struct http_request http = {.method = "POST"};
	int r = cloud_params_query(call->params, &query);

	if (r == 0)
		r = sign_nonce(nonce);
	if (r < 0)
		return r;
	sign_date(time(NULL), date);
	request.query = query;
	r = sign_lines(&request, &lines, request_hash);
	if (r == 0 && asprintf(&url, "%s/?%s", endpoint->url, query) < 0) {
		url = NULL;
		r = -ENOMEM;
	}
	if (r < 0)
		return r;
	http.url = url;
	http.headers = (const char *const *)lines.line;
	aim(net, endpoint, &http);
	return http_do(net->http, &http, reply);
}

static int send_form(
	struct cloud_net *net, const struct rpc_call *call, const struct endpoint *endpoint, struct http_reply *reply)
{
	static const char *const headers[] = {
		"Accept: application/json", "Content-Type: application/x-www-form-urlencoded", "Expect:", NULL};
	_cleanup_cloud_params_ struct cloud_params params = {.items = NULL};
	_cleanup_secret_ char *body = NULL;
	_cleanup_free_ char *query = NULL;
	_cleanup_free_ char *url = NULL;
	char date[SIGN_DATE];
	struct http_request http = {.method = "POST", .headers = headers};
	int r;

	sign_date(time(NULL), date);
	cloud_params_add(&params, "Action", call->action);
	cloud_params_add(&params, "Version", versions[call->product]);
	cloud_params_add(&params, "Format", "JSON");
	cloud_params_add(&params, "Timestamp", date);
	r = cloud_params_query(&params, &query);
	if (r == 0)
		r = cloud_params_query(call->params, &body);
	if (r == 0 && asprintf(&url, "%s/?%s", endpoint->url, query) < 0) {
		url = NULL;
		r = -ENOMEM;
	}
	if (r < 0)
		return r;
	http.url = url;
	http.body = body;
	aim(net, endpoint, &http);
	return http_do(net->http, &http, reply);
}

static void say_call(const struct cloud_net *net, const struct rpc_call *call, const struct rpc_reply *reply)
{
	if (!net->debug)
		return;
	ctl_warn(net->ctl, "call %s: HTTP %ld%s%s, request id %s", call->action, reply->status,
		reply->code[0] ? ", " : "", reply->code, reply->request_id[0] ? reply->request_id : "-");
}

/* 64 digits in hex, and no more. */
static bool has_hash(const char *text)
{
	size_t length;

	for (; *text; text += length + !length) {
		length = strspn(text, "0123456789abcdef");
		if (length == SIGN_HEX - 1)
			return true;
	}
	return false;
}

const char *rpc_judge_signature(const char *message, const char *request_hash)
{
	if (strstr(message, request_hash))
		return "the service has signed the same request, so the secret does not belong to the access key";
	if (has_hash(message))
		return "the service has signed another request than was sent: a proxy changed it, or smcctl is wrong";
	return NULL;
}

/* What the code alone does not tell. */
static void explain(const struct http_reply *http, const char *request_hash, struct rpc_reply *reply)
{
	const char *message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(reply->json, "Message"));
	size_t used = strlen(reply->text);
	char now[SIGN_DATE];

	if (strcmp(reply->code, "SignatureDoesNotMatch") == 0 && message)
		reply->remedy = rpc_judge_signature(message, request_hash);
	if (!starts_with(reply->code, "InvalidTimeStamp") || !http->date[0])
		return;
	sign_date(time(NULL), now);
	snprintf(reply->text + used, sizeof(reply->text) - used, " (the service's clock: %s; this host's: %s)",
		http->date, now);
}

int rpc_send(struct cloud_net *net, const struct rpc_call *call, struct rpc_reply *reply)
{
	_cleanup_endpoint_ struct endpoint endpoint = {.url = NULL};
	_cleanup_http_reply_ struct http_reply http = {.status = 0};
	char request_hash[SIGN_HEX] = "-";
	int r = endpoint_find(call->product, call->region, call->endpoint, net->inside || call->inside, &endpoint);

	if (r == 0 && net->diverted)
		r = endpoint_divert(&endpoint, net->diverted);
	*reply = (struct rpc_reply){.class = CLOUD_STOP};
	if (r == 0)
		r = call->credential ? send_signed(net, call, &endpoint, &http, request_hash)
				     : send_form(net, call, &endpoint, &http);
	if (r == 0) {
		rpc_read(&http, call, reply);
		explain(&http, request_hash, reply);
	} else if (r == -ECOMM || r == -EPROTO) {
		reply->class = r == -ECOMM ? CLOUD_AGAIN : CLOUD_STOP;
		snprintf(reply->text, sizeof(reply->text), "%s: %s", endpoint.host, http.problem);
		r = 0;
	}
	if (r == 0)
		say_call(net, call, reply);
	return r;
}
