/* SPDX-License-Identifier: MIT */
/* The verdicts in words; the manual has the same. */
#include "config.h"

#include "ctl/check/show.h"

struct words {
	const char *key;
	const char *meaning; /* both are clauses: no capital, no full stop */
	const char *remedy;
};

static const struct words table[VERDICT_COUNT] = {
	[VERDICT_UNKNOWN] = {"unknown", "nothing could be tried from here", "run as root, or on a kernel that has SMC"},
	[VERDICT_UNREACHABLE] = {"unreachable", "nothing answers there, with or without the option of SMC",
		"check the address, the route and the firewalls"},
	[VERDICT_REFUSED] = {"refused", "nobody listens on that port", "start the server, or name another port"},
	[VERDICT_UNSTEADY] = {"unsteady", "too few answers came to tell", "try again, with a longer --timeout"},
	[VERDICT_SMC] = {"smc", "the path is clean, and the peer speaks SMC", NULL},
	[VERDICT_PLAIN] = {"plain", "the path is clean, and the peer does not say that it speaks SMC",
		"accelerate the program on the other side, or find what takes TCP option 254 out of the SYN"},
	[VERDICT_DECLINED] = {"declined", "the path is clean, and the handshake of SMC ended in TCP", "see the reason"},
	[VERDICT_REPLAYED] = {"replayed", "unknown TCP options come back: the peer seems to speak SMC and does not",
		"leave it on TCP: a connection over SMC would break"},
	[VERDICT_CONFLICT] = {"conflict", "another TCP option of an experiment came back, or one that nobody sent",
		"leave it on TCP; find who else uses TCP options 253 and 254 there"},
	[VERDICT_MALFORMED] = {"malformed", "the option came back with a wrong length, twice, or in broken options",
		"leave it on TCP; find what rewrites TCP options on the way"},
	[VERDICT_DROPPED] = {"dropped", "a SYN with the option gets no answer, and one without it does",
		"leave it on TCP; let the firewalls on the way pass TCP option 254"},
	[VERDICT_RESET] = {"reset", "a SYN with the option is answered with an RST, and one without it is not",
		"leave it on TCP; let the firewalls on the way pass TCP option 254"},
	[VERDICT_LATE] = {"late", "a SYN with the option is answered later than one without it",
		"leave it on TCP; find what holds up SYNs with TCP option 254"},
	[VERDICT_STRIPPED] = {"stripped",
		"the peer speaks SMC, and something on the way takes the option out of its SYN-ACK: connections break",
		"leave it on TCP; let the firewalls on the way pass TCP option 254 in both directions"},
	[VERDICT_BROKEN] = {"broken", "the peer seems to speak SMC, and the connection over SMC fails",
		"leave it on TCP: something on the way answers for the peer, or hinders the handshake"},
};

const char *verdict_key(enum verdict_path verdict)
{
	return table[verdict].key;
}

const char *verdict_meaning(enum verdict_path verdict)
{
	return table[verdict].meaning;
}

const char *verdict_remedy(enum verdict_path verdict)
{
	return table[verdict].remedy;
}

const char *handshake_key(enum handshake_result result)
{
	static const char *const keys[] = {
		[HANDSHAKE_NONE] = "none",
		[HANDSHAKE_NO_SMC] = "no-smc",
		[HANDSHAKE_SMC] = "smc",
		[HANDSHAKE_SMC_R] = "smc-r",
		[HANDSHAKE_SMC_D] = "smc-d",
		[HANDSHAKE_TCP] = "tcp",
		[HANDSHAKE_FAILED] = "failed",
		[HANDSHAKE_TIMEOUT] = "timeout",
		[HANDSHAKE_REFUSED] = "refused",
		[HANDSHAKE_UNREACHABLE] = "unreachable",
	};

	return keys[result];
}
