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

#define MAX_HEADERS 12u
#define TIMEOUT_MS 10000
/* With a faster clock: still enough for a loaded machine. */
#define TIMEOUT_MIN_MS 3000

static const char *const versions[] = {
	[CLOUD_ECS] = "2014-05-26", [CLOUD_VPC] = "2016-04-28", [CLOUD_STS] = "2015-04-01"};

void cloud_credential_clear(struct cloud_credential *credential)
{
	secret_free(credential->id);
	secret_free(credential->secret);
	secret_free(credential->token);
	*credential = (struct cloud_credential){.id = NULL};
}

void rpc_reply_clear(struct rpc_reply *reply)
{
	cJSON_Delete(reply->json);
	*reply = (struct rpc_reply){.json = NULL};
}

static void copy_member(const cJSON *object, const char *name, char *out, size_t size)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsString(member) && member->valuestring[0])
		snprintf(out, size, "%s", member->valuestring);
}

void rpc_read(const struct http_reply *http, struct rpc_reply *reply)
{
	*reply = (struct rpc_reply){.status = http->status, .retry_after = http->retry_after};
	snprintf(reply->request_id, sizeof(reply->request_id), "%s", http->request_id);
	if (http->body)
		reply->json = cJSON_ParseWithLength(http->body, http->size);
	if (reply->json && !cJSON_IsObject(reply->json)) {
		cJSON_Delete(reply->json);
		reply->json = NULL;
	}
	copy_member(reply->json, "RequestId", reply->request_id, sizeof(reply->request_id));
	if (http->status < 200 || http->status > 299 || cJSON_HasObjectItem(reply->json, "Code")) {
		copy_member(reply->json, "Code", reply->code, sizeof(reply->code));
		copy_member(reply->json, "Message", reply->text, sizeof(reply->text));
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

static int sign_lines(const struct sign_request *request, struct header_lines *lines)
{
	_cleanup_signature_ struct signature signature = {.authorization = NULL};
	int r = sign_request(request, &signature);

	if (r < 0)
		return r;
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

static int send_signed(
	struct cloud_net *net, const struct rpc_call *call, const struct endpoint *endpoint, struct http_reply *reply)
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
	r = sign_lines(&request, &lines);
	if (r == 0 && asprintf(&url, "%s/?%s", endpoint->url, query) < 0) {
		url = NULL;
		r = -ENOMEM;
	}
	if (r < 0)
		return r;
	http.url = url;
	http.headers = (const char *const *)lines.line;
	http.timeout_ms = TIMEOUT_MS / (long)net->clock.speed;
	if (http.timeout_ms < TIMEOUT_MIN_MS)
		http.timeout_ms = TIMEOUT_MIN_MS;
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
	struct http_request http = {.method = "POST", .headers = headers, .timeout_ms = TIMEOUT_MS};
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
	return http_do(net->http, &http, reply);
}

static void say_call(const struct cloud_net *net, const struct rpc_call *call, const struct rpc_reply *reply)
{
	if (!net->debug)
		return;
	ctl_warn(net->ctl, "call %s: HTTP %ld%s%s, request id %s", call->action, reply->status,
		reply->code[0] ? ", " : "", reply->code, reply->request_id[0] ? reply->request_id : "-");
}

int rpc_send(struct cloud_net *net, const struct rpc_call *call, struct rpc_reply *reply)
{
	_cleanup_endpoint_ struct endpoint endpoint = {.url = NULL};
	_cleanup_http_reply_ struct http_reply http = {.status = 0};
	int r = endpoint_find(call->product, call->region, net->endpoint, net->inside, &endpoint);

	*reply = (struct rpc_reply){.class = CLOUD_STOP};
	if (r == 0)
		r = call->credential ? send_signed(net, call, &endpoint, &http)
				     : send_form(net, call, &endpoint, &http);
	if (r == 0) {
		rpc_read(&http, reply);
		if (reply->class == CLOUD_DENIED && starts_with(reply->code, "InvalidTimeStamp") && http.date[0]) {
			size_t used = strlen(reply->text);

			snprintf(reply->text + used, sizeof(reply->text) - used, " (the service's clock: %s)",
				http.date);
		}
	} else if (r == -ECOMM || r == -EPROTO) {
		reply->class = r == -ECOMM ? CLOUD_AGAIN : CLOUD_STOP;
		snprintf(reply->text, sizeof(reply->text), "%s: %s", endpoint.host, http.problem);
		r = 0;
	}
	if (r == 0)
		say_call(net, call, reply);
	return r;
}
