/* SPDX-License-Identifier: MIT */
/* shimtest: runs each case in a process of its own, in each configuration of the shim, and prints TAP. */
#include "config.h"

#include "tests/shim/harness.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
	"usage: shimtest [--config NAME]... [--jobs N] [--library FILE] [--time] [--list] [PATTERN...]\n"
	"       shimtest --publish TABLE POLICY-TEXT\n"
	"Configurations: bare none some all off observe own; usually all of them.\n";

static const struct test_case *const tables[] = {argument_cases, buffer_cases, carry_cases, connect_cases, epoll_cases,
	failure_cases, flip_cases, identity_cases, listen_cases, option_cases, process_cases, refusal_cases,
	signal_cases, wake_cases, window_cases};

#define ALL_SMC "{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":\"any\"},{\"use\":\"smc\",\"listen\":\"any\"}]}"

static const struct config {
	const char *name;
	unsigned flag;
	const char *policy;
	unsigned state;
} configs[] = {
	{"bare", IN_BARE, NULL, 0},
	{"none", IN_NONE, "{\"version\":1,\"rules\":[{\"use\":\"tcp\",\"connect\":\"any\"}]}", 1},
	{"some", IN_SOME,
		"{\"version\":1,\"rules\":[{\"use\":\"smc\",\"connect\":[\"127.0.0.0/24\",\"::1/128\"]},"
		"{\"use\":\"smc\",\"listen\":[\"127.0.0.0/24\",\"::1/128\"]}]}",
		1},
	{"all", IN_ALL, ALL_SMC, 1},
	{"off", IN_OFF, ALL_SMC, 0},
	{"observe", IN_OBSERVE, ALL_SMC, 2},
	{"own", IN_OWN, NULL, 1},
};

#define CONFIGS (sizeof configs / sizeof *configs)

static struct {
	char self[1024], library[1024], directory[64];
	unsigned wanted;
	int jobs;
	bool show_times, has_lab, has_smc, must_run;
} options = {.wanted = 0xff, .jobs = 1};

/* ---- one run of a case ---- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#endif
#ifndef ASAN
#define ASAN 0
#endif

enum state { WAITING, RUNNING, DONE };

/* The cases whose ports (harness.h) differ from one another: far more than run at once. */
#define CASES_WITH_PORTS 1000u

struct run {
	const struct test_case *test;
	const struct config *config;
	unsigned number;
	enum state state;
	pid_t pid;
	int output; /* read end of its standard output */
	int status;
	bool late;
	double started, ended;
	char *text;
	size_t len;
};

static int limit_of(const struct run *run)
{
	return run->test->seconds ? (int)run->test->seconds : 20;
}

static void table_path(const struct run *run, char *path, size_t size)
{
	if (run->config->flag == IN_OWN)
		snprintf(path, size, "%s/own-%s", options.directory, run->test->name);
	else
		snprintf(path, size, "%s/%s", options.directory, run->config->name);
}

/* In the child: becomes the case, with or without the library. */
static void become(const struct run *run, int output)
{
	char table[512], preload[2048], flag[16], port[16];
	const char *first = getenv("SHIMTEST_PRELOAD_FIRST");

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	snprintf(flag, sizeof flag, "%#x", run->config->flag);
	setenv("SHIMTEST_CONFIG", flag, 1);
	snprintf(port, sizeof port, "%u", FIRST_PORT + run->number % CASES_WITH_PORTS * CASE_PORTS);
	setenv("SHIMTEST_PORT", port, 1);
	unsetenv("LD_PRELOAD");
	if (run->config->flag != IN_BARE) {
		table_path(run, table, sizeof table);
		if (run->config->flag == IN_OWN)
			publish_at(table, run->test->policy, 0x1f);
		setenv("SMC_POLICY", table, 1);
		snprintf(preload, sizeof preload, "%s%s%s", first ? first : "", first && *first ? ":" : "",
			options.library);
		setenv("LD_PRELOAD", preload, 1);
	}
	execl(options.self, options.self, "--case", run->test->name, (char *)NULL);
	_exit(127);
}

static void start(struct run *run)
{
	int ends[2];

	MUST(pipe2(ends, O_CLOEXEC) == 0);
	fflush(stdout);
	run->started = now();
	run->pid = fork();
	MUST(run->pid >= 0);
	if (run->pid == 0)
		become(run, ends[1]);
	close(ends[1]);
	run->output = ends[0];
	fcntl(run->output, F_SETFL, O_NONBLOCK);
	run->state = RUNNING;
}

/* False at the end of the output. */
static bool drain(struct run *run)
{
	char chunk[2048];
	ssize_t n;

	while ((n = read(run->output, chunk, sizeof chunk)) > 0) {
		run->text = realloc(run->text, run->len + (size_t)n + 1);
		MUST(run->text != NULL);
		memcpy(run->text + run->len, chunk, (size_t)n);
		run->len += (size_t)n;
		run->text[run->len] = '\0';
	}
	return n != 0;
}

static void end(struct run *run)
{
	/* Whatever the case has left behind goes with it. */
	kill(-run->pid, SIGKILL);
	drain(run);
	close(run->output);
	run->ended = now();
	run->state = DONE;
}

static void attend(struct run *run)
{
	drain(run);
	if (waitpid(run->pid, &run->status, WNOHANG) == run->pid) {
		end(run);
	} else if (now() - run->started > limit_of(run)) {
		run->late = true;
		kill(-run->pid, SIGKILL);
		waitpid(run->pid, &run->status, 0);
		end(run);
	}
}

/* ---- TAP ---- */

static void print_text(const struct run *run)
{
	const char *line = run->text;

	while (line && *line) {
		size_t n = strcspn(line, "\n");

		printf("# %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

/* Returns true if the case passed or was skipped. */
static bool report(const struct run *run, int number)
{
	char seconds[32] = "";
	bool passed = WIFEXITED(run->status) && WEXITSTATUS(run->status) == 0 && !run->late;
	bool skipped = WIFEXITED(run->status) && WEXITSTATUS(run->status) == 77 && !options.must_run;

	if (options.show_times)
		snprintf(seconds, sizeof seconds, " (%.2f s)", run->ended - run->started);
	if (skipped) {
		const char *reason = run->text ? strstr(run->text, "SKIP ") : NULL;

		printf("ok %d - %s in %s # SKIP %s\n", number, run->test->name, run->config->name,
			reason ? strtok(strdup(reason + 5), "\n") : "no reason");
		return true;
	}
	printf("%s %d - %s in %s%s\n", passed ? "ok" : "not ok", number, run->test->name, run->config->name, seconds);
	print_text(run);
	if (run->late)
		printf("# stopped after %d s\n", limit_of(run));
	else if (WIFSIGNALED(run->status))
		printf("# ended by signal %d\n", WTERMSIG(run->status));
	free(run->text);
	fflush(stdout);
	return passed;
}

/* ---- all of them ---- */

static bool matches(const char *name, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (fnmatch(*patterns, name, 0) == 0)
			return true;
	return false;
}

static bool runs_in(const struct test_case *test, const struct config *config)
{
	unsigned flags = test->flags & 0xff;

	if (ASAN && test->flags & NO_ASAN)
		return false;
	if ((test->flags & NEEDS_LAB && !options.has_lab) || (test->flags & NEEDS_SMC && !options.has_smc) ||
		(test->flags & NO_SMC && options.has_smc))
		return false;
	return (flags ? flags : IN_USUAL) & config->flag & options.wanted;
}

static size_t collect(struct run *runs, size_t size, char **patterns)
{
	size_t n = 0;

	for (size_t c = 0; c < CONFIGS; c++)
		for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
			for (const struct test_case *test = tables[t]; test->name; test++)
				if (matches(test->name, patterns) && runs_in(test, &configs[c])) {
					MUST(n < size);
					runs[n] = (struct run){
						.test = test, .config = &configs[c], .number = (unsigned)n};
					n++;
				}
	return n;
}

static int running(const struct run *runs, size_t n, bool *alone)
{
	int count = 0;

	*alone = false;
	for (size_t i = 0; i < n; i++)
		if (runs[i].state == RUNNING) {
			count++;
			*alone |= (runs[i].test->flags & ALONE) != 0;
		}
	return count;
}

static void fill(struct run *runs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool alone;
		int busy = running(runs, n, &alone);

		if (alone || busy >= options.jobs)
			return;
		if (runs[i].state == WAITING && (busy == 0 || !(runs[i].test->flags & ALONE)))
			start(&runs[i]);
	}
}

static int run_all(char **patterns)
{
	static struct run runs[4096];
	size_t n = collect(runs, sizeof runs / sizeof *runs, patterns), next = 0;
	int failed = 0;

	printf("1..%zu\n", n);
	while (next < n) {
		fill(runs, n);
		sleep_ms(2);
		for (size_t i = 0; i < n; i++)
			if (runs[i].state == RUNNING)
				attend(&runs[i]);
		for (; next < n && runs[next].state == DONE; next++)
			failed += !report(&runs[next], (int)next + 1);
	}
	return failed;
}

static int run_case(const char *name)
{
	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		for (const struct test_case *test = tables[t]; test->name; test++)
			if (strcmp(test->name, name) == 0) {
				test->run();
				finish();
			}
	fprintf(stderr, "shimtest: case '%s': there is none\n", name);
	return 64;
}

/* ---- start ---- */

static void list(void)
{
	for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
		for (const struct test_case *test = tables[t]; test->name; test++)
			puts(test->name);
}

static unsigned config_named(const char *name)
{
	for (size_t c = 0; c < CONFIGS; c++)
		if (strcmp(configs[c].name, name) == 0)
			return configs[c].flag;
	fprintf(stderr, "shimtest: configuration '%s': there is none\n", name);
	exit(64);
}

static void prepare(void)
{
	char path[128];

	MUST(readlink("/proc/self/exe", options.self, sizeof options.self - 1) > 0);
	snprintf(options.directory, sizeof options.directory, "/tmp/shimtest.XXXXXX");
	MUST(mkdtemp(options.directory) != NULL);
	MUST(chmod(options.directory, 0755) == 0);
	for (size_t c = 0; c < CONFIGS; c++) {
		if (!configs[c].policy)
			continue;
		snprintf(path, sizeof path, "%s/%s", options.directory, configs[c].name);
		publish_at(path, configs[c].policy, 0x1f);
		set_state(path, configs[c].state);
	}
	options.has_lab = getenv("LAB_MODE") != NULL;
	options.has_smc = kernel_has_smc();
	options.must_run = getenv("SMC_TESTS_MUST_RUN") != NULL;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void clean_up(void)
{
	if (nftw(options.directory, remove_one, 8, FTW_DEPTH | FTW_PHYS))
		fprintf(stderr, "shimtest: '%s' was not removed: %s\n", options.directory, strerror(errno));
}

static void resolve(const char *library)
{
	char *path = realpath(library, NULL);

	if (!path || strlen(path) >= sizeof options.library) {
		fprintf(stderr, "shimtest: library '%s': %s\n", library, strerror(errno));
		exit(64);
	}
	memcpy(options.library, path, strlen(path) + 1);
	free(path);
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
		{"publish", required_argument, NULL, 'p'}, {"jobs", required_argument, NULL, 'j'},
		{"library", required_argument, NULL, 'l'}, {"time", no_argument, NULL, 't'},
		{"list", no_argument, NULL, 'L'}, {"case", required_argument, NULL, 'C'}, {NULL, 0, NULL, 0}};
	int o;

	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'c':
			options.wanted = (options.wanted == 0xff ? 0 : options.wanted) | config_named(optarg);
			break;
		case 'j':
			options.jobs = (int)strtol(optarg, NULL, 10);
			break;
		case 'l':
			resolve(optarg);
			break;
		case 't':
			options.show_times = true;
			break;
		case 'L':
			list();
			exit(0);
		case 'p':
			publish_at(optarg, argv[optind], 0x1f);
			exit(0);
		case 'C':
			exit(run_case(optarg));
		default:
			fputs(usage, stderr);
			exit(64);
		}
	}
}

int main(int argc, char **argv)
{
	int failed;

	parse(argc, argv);
	if (!options.library[0] && (options.wanted & ~IN_BARE)) {
		fputs("shimtest: --library is needed for every configuration but bare\n", stderr);
		return 64;
	}
	prepare();
	failed = run_all(argv + optind);
	clean_up();
	if (failed)
		printf("# %d failed\n", failed);
	return failed ? 1 : 0;
}
