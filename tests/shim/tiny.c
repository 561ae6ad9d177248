/* SPDX-License-Identifier: MIT */
/* The least socket program: one connection to itself. Prints whether the shim is in it and what its client became. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0), server, protocol = 0,
	    on = 1;
	char got[6] = "";

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 1) ||
		getsockname(listener, (struct sockaddr *)&at, &len) ||
		setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
		connect(client, (struct sockaddr *)&at, len))
		return 1;
	server = accept(listener, NULL, NULL);
	if (send(client, "hello", 5, 0) != 5 || recv(server, got, 5, MSG_WAITALL) != 5 || strcmp(got, "hello") != 0)
		return 2;
	len = sizeof protocol;
	syscall(SYS_getsockopt, client, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	printf("shim %s, %s\n", dlsym(RTLD_DEFAULT, "smcshim_counters") ? "yes" : "no", protocol == 6 ? "TCP" : "SMC");
	return 0;
}
