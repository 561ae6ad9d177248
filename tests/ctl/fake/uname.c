/* SPDX-License-Identifier: MIT */
/* For tests: uname() says what $FAKE_RELEASE and $FAKE_VERSION say. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

__attribute__((visibility("default"))) int uname(struct utsname *name)
{
	const char *release = getenv("FAKE_RELEASE");
	const char *version = getenv("FAKE_VERSION");
	int r = (int)syscall(SYS_uname, name);

	if (r == 0 && release)
		(void)snprintf(name->release, sizeof(name->release), "%s", release);
	if (r == 0 && version)
		(void)snprintf(name->version, sizeof(name->version), "%s", version);
	return r;
}
