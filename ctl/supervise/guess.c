/* SPDX-License-Identifier: MIT */
/* Guesses which sockets will stay TCP: those of programs all of whose connects lately went where the policy keeps TCP. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

#include "ctl/supervise/call.h"
#include "ctl/supervise/target.h"

/*
 * An SMC socket that its connect turns into TCP costs more than all else that a supervised connection costs: it is made here,
 * put into the program, which takes two wake-ups, and taken back. A wrong guess costs a replacement at connect(), so it takes
 * ever more connects in a row to guess again.
 */
#define ENOUGH 16u
#define MOST 4096u

bool guess_tcp(struct supervisor *s)
{
	struct guess *guess = &s->guess;

	if (!guess->needed || guess->kept < guess->needed)
		return false;
	guess->made = true;
	return true;
}

/* Whether a replacement for the socket would be the same to the program: nothing else names or watches it. */
static bool is_alone(const struct call *call, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 &&
		target_has_alone((pid_t)call->notif->pid, (int)call->notif->data.args[0], st.st_ino);
}

void guess_start(struct supervisor *s, bool restarted)
{
	/* What options the program has set before is not known any more, and so not what must be carried over. */
	s->guess = (struct guess){.needed = restarted ? 0 : ENOUGH};
}

void guess_kept(const struct call *call, int fd)
{
	struct guess *guess = &call->supervisor->guess;

	if (!guess->needed || guess->kept >= guess->needed)
		return;
	/* A program whose sockets are watched or doubled before they are connected is one that cannot be guessed about. */
	if (++guess->kept >= guess->needed - 1 && !is_alone(call, fd))
		guess->needed = 0;
}

void guess_smc(struct supervisor *s)
{
	s->guess.kept = 0;
}

int guess_was_wrong(const struct call *call, int fd)
{
	struct guess *guess = &call->supervisor->guess;
	const unsigned mode = table_mode(false);
	const struct original original = call_original(fd);
	int r;

	/* Only among sockets of a tree that was guessed about: others are TCP for a reason. */
	if (!guess->made)
		return -ENOENT;
	guess->kept = 0;
	if (guess->needed)
		guess->needed = guess->needed < MOST ? guess->needed * 2 : MOST;
	if (!target_is_reachable((pid_t)call->notif->pid) || !target_is_in_our_network((pid_t)call->notif->pid))
		return -EXDEV;
	/* Set on an SMC socket they would have turned it into TCP. */
	if (kind_int_option(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 0) ||
		kind_int_option(fd, SOL_SOCKET, SO_ZEROCOPY, 0))
		return -EOPNOTSUPP;
	r = is_alone(call, fd) ? make_replacement(fd, KIND_SMC, mode, true) : -EBUSY;
	if (r == 0)
		r = call_replace_fd(call, fd, &original);
	if (r < 0 && r != -ENOENT) /* a call that has gone meanwhile */
		guess->needed = 0;
	return r;
}
