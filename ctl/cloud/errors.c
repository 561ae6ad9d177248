/* SPDX-License-Identifier: MIT */
/* The classes of the service's error codes, as the vendor's documents and its own tools treat them. */
#include "config.h"

#include "ctl/cloud/errors.h"

#include <fnmatch.h>
#include <string.h>

/* The first that matches decides; '*' stands for anything, dots too. */
static const struct {
	const char *pattern;
	enum cloud_class class;
} classes[] = {
	{"DryRunOperation", CLOUD_FINE},
	{"DRYRUN.SUCCESS", CLOUD_FINE},
	{"*Throttling*", CLOUD_THROTTLED},
	{"IdempotentParameterMismatch", CLOUD_MISMATCH},
	{"IdempotentProcessing", CLOUD_IN_FLIGHT},
	{"LastTokenProcessing", CLOUD_IN_FLIGHT},
	{"InvalidSecurityToken.*", CLOUD_EXPIRED},
	{"InvalidAccessKeyId*", CLOUD_DENIED},
	{"SignatureDoesNotMatch", CLOUD_DENIED},
	{"IncompleteSignature", CLOUD_DENIED},
	{"InvalidTimeStamp*", CLOUD_DENIED},
	{"Forbidden.InstanceBandwidthNotZero", CLOUD_STOP},
	{"Forbidden.ChargeTypeIsPrepaid", CLOUD_STOP},
	{"Forbidden*", CLOUD_DENIED},
	{"NoPermission*", CLOUD_DENIED},
	{"InvalidParam.SecurityGroupRuleId", CLOUD_GONE},
	{"*.NotFound", CLOUD_GONE},
	{"*.NotFound.*", CLOUD_GONE},
	/* States that pass by themselves. */
	{"Incorrect*Status*", CLOUD_BUSY},
	{"InvalidBindingStatus", CLOUD_BUSY},
	{"InvalidOperation.InvalidEniState", CLOUD_BUSY},
	{"InvalidOperation.InvalidEcsState", CLOUD_BUSY},
	{"InvalidStatus.EcsStatusNotSupport", CLOUD_BUSY},
	{"InvalidStatus.EniStatusNotSupport", CLOUD_BUSY},
	{"*Conflict", CLOUD_BUSY},
	{"TaskConflict*", CLOUD_BUSY},
	{"OperationFailed.EcsMigrating", CLOUD_BUSY},
	{"FrequentPurchase.EIP", CLOUD_BUSY},
	{"ServiceUnavailable*", CLOUD_AGAIN},
	{"InternalError*", CLOUD_AGAIN},
	{"*SystemBusy", CLOUD_AGAIN},
};

enum cloud_class errors_class(long status, const char *code)
{
	/* Mode.Conflict is what its page says it is: a wrong parameter. */
	if (strcmp(code, "Mode.Conflict") == 0)
		return CLOUD_STOP;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (fnmatch(classes[i].pattern, code, 0) == 0)
			return classes[i].class;
	}
	if (status >= 200 && status < 300 && !*code)
		return CLOUD_FINE;
	if (status == 429)
		return CLOUD_THROTTLED;
	if (status >= 500)
		return CLOUD_AGAIN;
	/* Quotas come with 403, too: only without a code of its own is that a matter of rights. */
	return (status == 401 || status == 403) && !*code ? CLOUD_DENIED : CLOUD_STOP;
}

static const struct {
	const char *pattern;
	const char *remedy;
} remedies[] = {
	{"InvalidAccessKeyId*", "the access key is unknown or disabled; smcctl cloud whoami shows which one is used"},
	{"SignatureDoesNotMatch", "the secret does not belong to the access key"},
	{"InvalidTimeStamp*", "the clock is wrong: set it, the service takes 15 minutes at most"},
	{"InvalidSecurityToken.*", "the security token is expired or not of this key; get a fresh one"},
	{"Forbidden.InstanceBandwidthNotZero", "the instance has a public address of its own; set its bandwidth to 0"},
	{"Forbidden*", "the RAM policy of this key does not allow it; doc/cloud.md has the policy to grant"},
	{"NoPermission*", "the RAM policy of this key does not allow it; doc/cloud.md has the policy to grant"},
	{"*Throttling*", "the account's limit of calls in this region is used up; run it again, it goes on"},
	{"OperationDenied.NoStock", "the type is sold out in this zone; take another zone or type"},
	{"InvalidResourceType.NotSupported", "the zone does not sell this type; take another zone or type"},
	{"InvalidInstanceType.ZoneNotSupported", "the zone does not sell this type; take another zone or type"},
	{"*InsufficientBalance*", "the account has no money left for it"},
	{"*NotEnoughBalance*", "the account has no money left for it"},
	{"RealNameAuthenticationError", "the account needs real-name registration"},
	{"*IpNotEnough", "the vSwitch has no free address; take another one"},
	{"QuotaExceeded.PrivateIpAddress", "the vSwitch has no free address; take another one"},
	{"EniPerInstanceLimitExceeded", "the instance type takes no more interfaces"},
	{"MaxEniCountExceeded", "the account's quota of interfaces is used up"},
	{"Quota*", "a quota of the account is used up; ask for more in the console"},
	{"AuthorizationLimitExceed", "the security group is full"},
	{"InvalidOperation.AvailabilityZoneMismatch", "interface and instance must be in one zone"},
	{"InvalidOperation.VpcMismatch", "interface, group and instance must be in one VPC"},
	{"IdempotentParameterMismatch",
		"an earlier call with this token was a different one; smcctl cloud import, then again"},
	{"EIP_CAN_NOT_ASSOCIATE_WITH_PUBLIC_IP", "the instance has a public address already"},
};

const char *errors_remedy(const char *code)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
		if (fnmatch(remedies[i].pattern, code, 0) == 0)
			return remedies[i].remedy;
	}
	return NULL;
}

enum ctl_exit errors_exit(enum cloud_class class, const char *code)
{
	switch (class) {
	case CLOUD_DENIED:
	case CLOUD_EXPIRED:
		return CTL_NOT_PERMITTED;
	case CLOUD_THROTTLED:
	case CLOUD_AGAIN:
	case CLOUD_BUSY:
	case CLOUD_IN_FLIGHT:
		return CTL_PARTLY;
	default:
		return fnmatch("*NotSupported", code, 0) == 0 ? CTL_CANNOT : CTL_FAILED;
	}
}
