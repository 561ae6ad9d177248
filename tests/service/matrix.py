#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A matrix of units against a real systemd: what explain says of each, whether enable takes it, what the drop-in holds, and what
systemd-analyze thinks of the result. In the lab only (tests/service/run calls it); writes into /etc/systemd/system. Output: TAP."""
import hashlib
import json
import os
import subprocess
import sys

SYSTEM = "/etc/systemd/system"
LIBRARY = "/usr/lib/smcshim/libsmcshim.so"
HOLD = f"{SYSTEM}/m-hold.target"
GENERATOR = "/etc/systemd/system-generators/m-generator"
PRELOAD = f"Environment=LD_PRELOAD={LIBRARY}"
SLEEP = "ExecStart=/usr/bin/sleep 1000"
SUPERVISED = "ExecStart=/usr/bin/smcctl run --supervise -- "


class Case:
    """A unit's [Service] lines; the finding (what, kind) that must be there; the lines of the drop-in, or None: refused with code.
    Without lines it is no file there: prepare makes it. unit: what systemd calls it."""

    def __init__(self, name, lines, finding=None, drop_in=(), code=0, force=0, families=None, prepare=None, unit=None):
        self.name, self.lines, self.finding, self.drop_in = f"m-{name}", lines, finding, drop_in
        self.code, self.force, self.families, self.prepare = code, force, families, prepare
        self.unit = unit or self.name


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf8") as stream:
        stream.write(text)
    os.chmod(path, mode)


def static_program():
    subprocess.run(["cp", "/usr/bin/busybox", "/opt/units/static"], check=True)
    os.makedirs("/srv/empty/usr/bin", exist_ok=True)
    subprocess.run(["cp", "/usr/bin/busybox", "/srv/empty/usr/bin/static"], check=True)


def go_program():
    # A dynamic program that a Go toolchain made, as far as its headers tell: the note's owner and type.
    write("/opt/units/go.s", '.section .note.go.buildid,"a",@note\n.long 4, 4, 4\n.asciz "Go"\n.byte 0\n.long 0\n')
    write("/opt/units/go.c", "int main(void) { return 0; }\n")
    subprocess.run(["gcc", "-o", "/opt/units/go", "/opt/units/go.c", "/opt/units/go.s"], check=True)


def word_size():
    # The header of a 32-bit program.
    with open("/usr/bin/sleep", "rb") as stream:
        data = bytearray(stream.read())
    data[4] = 1
    data[18:20] = b"\x03\x00"
    with open("/opt/units/bits", "wb") as stream:
        stream.write(data)
    os.chmod("/opt/units/bits", 0o755)


def musl_program():
    write("/opt/units/musl.c", "int main(void) { return 0; }\n")
    subprocess.run(["musl-gcc", "-o", "/opt/units/musl", "/opt/units/musl.c"], check=True)


def set_user_id():
    subprocess.run(["cp", "/usr/bin/sleep", "/opt/units/setuid"], check=True)
    os.chown("/opt/units/setuid", 65534, 65534)
    os.chmod("/opt/units/setuid", 0o4755)


def capability():
    subprocess.run(["cp", "/usr/bin/sleep", "/opt/units/capable"], check=True)
    os.setxattr("/opt/units/capable", "security.capability", bytes.fromhex("0100000200040000" + "0" * 24))


def capability_inert():
    subprocess.run(["cp", "/usr/bin/sleep", "/opt/units/inert"], check=True)
    os.setxattr("/opt/units/inert", "security.capability", bytes.fromhex("0000000200040000" + "0" * 24))


def environment_file():
    write("/opt/units/env", "# one\nLD_PRELOAD=/x.so\n")


def environment_file_with_it():
    write("/opt/units/env-with", f'LD_PRELOAD="{LIBRARY}:/x.so"\n')


def sudo():
    subprocess.run(["cp", "/usr/bin/true", "/opt/units/sudo"], check=True)


def scripts():
    write("/opt/units/script", "#!/bin/sh\nexec sleep 1000\n", 0o755)
    write("/opt/units/cleared", "#!/usr/bin/env -S -i sleep\n", 0o755)
    os.makedirs("/srv/empty/usr/bin", exist_ok=True)
    subprocess.run(["cp", "/usr/bin/sleep", "/srv/empty/usr/bin/sleep"], check=True)


def generated():
    write(GENERATOR, "#!/bin/sh\nprintf '[Service]\\nExecStart=/usr/bin/sleep 1000\\n' >\"$1/m-generated.service\"\n", 0o755)


def masked():
    os.symlink("/dev/null", f"{SYSTEM}/m-masked.service")


def alias():
    write(f"{SYSTEM}/m-real.service", f"[Service]\n{SLEEP}\n")
    os.symlink("m-real.service", f"{SYSTEM}/m-alias.service")


IP = "AF_INET AF_INET6 AF_UNIX"
CASES = [
    Case("plain", [SLEEP]),
    Case("allow-list", [SLEEP, f"RestrictAddressFamilies={IP}"], ("RestrictAddressFamilies", "handled"),
         ["RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_SMC"], families={"AF_INET", "AF_INET6", "AF_SMC", "AF_UNIX"}),
    Case("allow-list-with-it", [SLEEP, "RestrictAddressFamilies=AF_INET AF_SMC"], ("RestrictAddressFamilies", "note"),
         families={"AF_INET", "AF_SMC"}),
    Case("allow-list-empty", [SLEEP, "RestrictAddressFamilies=none"], ("RestrictAddressFamilies", "all_tcp"), code=3, force=0,
         families=set()),
    Case("allow-list-local", [SLEEP, "RestrictAddressFamilies=AF_UNIX AF_NETLINK"], ("RestrictAddressFamilies", "all_tcp"), code=3,
         families={"AF_UNIX", "AF_NETLINK"}),
    Case("deny-list", [SLEEP, "RestrictAddressFamilies=~AF_PACKET"], ("RestrictAddressFamilies", "note"), families={"~", "AF_PACKET"}),
    Case("deny-list-of-it", [SLEEP, "RestrictAddressFamilies=~AF_SMC AF_PACKET"], ("RestrictAddressFamilies", "handled"),
         ["RestrictAddressFamilies=", "RestrictAddressFamilies=~AF_PACKET"], families={"~", "AF_PACKET"}),
    Case("merged-list", [SLEEP, f"RestrictAddressFamilies={IP}", "RestrictAddressFamilies=~AF_UNIX"], ("RestrictAddressFamilies", "handled"),
         ["RestrictAddressFamilies=AF_INET AF_INET6 AF_SMC"], families={"AF_INET", "AF_INET6", "AF_SMC"}),
    Case("calls", [SLEEP, "SystemCallFilter=@system-service"], ("SystemCallFilter", "note")),
    Case("calls-without-network", [SLEEP, "SystemCallFilter=~@network-io"], ("SystemCallFilter", "all_tcp"), code=3),
    Case("calls-too-few", [SLEEP, "SystemCallFilter=@system-service", "SystemCallFilter=~dup3"], ("SystemCallFilter", "impossible"),
         code=3, force=3),
    Case("architectures", [SLEEP, "SystemCallArchitectures=native x86"], ("SystemCallArchitectures", "note")),
    Case("preload", [SLEEP, "Environment=LD_PRELOAD=/x.so"], ("LD_PRELOAD", "handled"), [PRELOAD + ":/x.so"]),
    Case("preload-by-hand", [SLEEP, PRELOAD], ("LD_PRELOAD", "note")),
    Case("environment-file", [SLEEP, "EnvironmentFile=/opt/units/env"], ("EnvironmentFile", "all_tcp"), code=3, prepare=environment_file),
    Case("environment-file-with-it", [SLEEP, "EnvironmentFile=-/opt/units/env-w*"], ("EnvironmentFile", "note"),
         prepare=environment_file_with_it),
    Case("environment-file-missing", [SLEEP, "EnvironmentFile=-/nowhere"]),
    Case("unset", [SLEEP, "UnsetEnvironment=LD_PRELOAD"], ("UnsetEnvironment", "all_tcp"), code=3),
    Case("env-i", ["ExecStart=/usr/bin/env -i /usr/bin/sleep 1000"], ("environment", "all_tcp"), code=3),
    Case("setpriv", ["ExecStart=/usr/bin/setpriv --reset-env sleep 1000"], ("environment", "all_tcp"), code=3),
    Case("sudo", ["ExecStart=/opt/units/sudo -u nobody sleep 1000"], ("environment", "all_tcp"), code=3, prepare=sudo),
    Case("su-login", ["ExecStart=/usr/bin/su - nobody -s /bin/sh -c 'sleep 1000'"], ("environment", "all_tcp"), code=3),
    Case("su", ["ExecStart=/usr/bin/su nobody -s /bin/sh -c 'sleep 1000'"], ("wrapper", "note")),
    Case("pam", [SLEEP, "User=nobody", "PAMName=su"], ("PAMName", "note")),
    Case("wrapper", ["ExecStart=/bin/sh -c 'sleep 1000'"], ("wrapper", "note")),
    Case("script", ["ExecStart=/opt/units/script"], ("script", "note"), prepare=scripts),
    Case("script-env-i", ["ExecStart=/opt/units/cleared 1000"], ("program", "handled"), [SUPERVISED + "/opt/units/cleared 1000"]),
    Case("smcctl-run", ["ExecStart=/usr/bin/smcctl run -- /usr/bin/sleep 1000"], ("smcctl-run", "note")),
    Case("static", ["ExecStart=/opt/units/static sleep 1000"], ("program", "handled"), [SUPERVISED + "/opt/units/static sleep 1000"],
         prepare=static_program),
    Case("go", ["ExecStart=/opt/units/go"], ("program", "handled"), [SUPERVISED + "/opt/units/go"], prepare=go_program),
    Case("static-quoted", ["ExecStart=\"-/opt/units/static\" sleep $X \"${Y} ;\" 'a b' \\x41 \\; %n %% $$", "Environment=X=1 Y=2"], ("program", "handled"),
         ["ExecStart=-" + SUPERVISED[10:] + "\"/opt/units/static\" sleep $X \"${Y} ;\" 'a b' \\x41 \\; %n %% $$"]),
    Case("static-named", ["ExecStart=:@/opt/units/static %p 1000", "ExecStart=!!/opt/units/static sleep 1 ; /usr/bin/sleep 2", "Type=oneshot"],
         ("program", "handled"), ["ExecStart=:" + SUPERVISED[10:-3] + "--argv0 %p -- /opt/units/static 1000",
                                  "ExecStart=!!" + SUPERVISED[10:] + "/opt/units/static sleep 1", SUPERVISED + "/usr/bin/sleep 2"]),
    Case("static@", ["ExecStart=/opt/units/static sleep %i"], ("program", "handled"), [SUPERVISED + "/opt/units/static sleep %i"]),
    Case("static-forking", ["Type=forking", "ExecStart=/opt/units/static sleep 1000"], ("forking", "impossible"), code=3, force=3),
    Case("static-calls", ["ExecStart=/opt/units/static sleep 1000", "SystemCallFilter=@system-service"], ("SystemCallFilter", "impossible"),
         code=3, force=3),
    Case("static-calls-allowed", ["ExecStart=/opt/units/static sleep 1000", "SystemCallFilter=@system-service seccomp pidfd_getfd"],
         ("SystemCallFilter", "note"), [SUPERVISED + "/opt/units/static sleep 1000"]),
    Case("static-root", ["ExecStart=/usr/bin/static", "RootDirectory=/srv/empty"], ("RootDirectory", "impossible"), code=3, force=3),
    Case("static-no-exec", ["ExecStart=/opt/units/static sleep 1000", "NoExecPaths=/usr", "ExecPaths=/usr/bin"], ("NoExecPaths", "impossible"),
         code=3, force=3),
    Case("static-user", ["ExecStart=/opt/units/static sleep 1000", "User=nobody"], ("NoNewPrivileges", "note"),
         [SUPERVISED + "/opt/units/static sleep 1000"]),
    Case("musl", ["ExecStart=/opt/units/musl"], prepare=musl_program),
    Case("word-size", ["ExecStart=/opt/units/bits 1000"], ("program", "all_tcp"), code=3, prepare=word_size),
    Case("set-user-id", ["ExecStart=/opt/units/setuid 1000"], ("program", "all_tcp"), code=3, prepare=set_user_id),
    Case("capability", ["User=nobody", "ExecStart=/opt/units/capable 1000"], ("program", "all_tcp"), code=3, prepare=capability),
    Case("capability-as-root", ["ExecStart=/opt/units/capable 1000"]),
    # They are not gained then, but that they are effective makes it a secure execution all the same.
    Case("capability-barred", ["User=nobody", "NoNewPrivileges=yes", "ExecStart=/opt/units/capable 1000"], ("program", "all_tcp"), code=3),
    Case("capability-inert", ["User=nobody", "NoNewPrivileges=yes", "ExecStart=/opt/units/inert 1000"], prepare=capability_inert),
    Case("no-new-privileges", [SLEEP, "User=nobody", "NoNewPrivileges=yes"]),
    Case("dynamic-user", [SLEEP, "DynamicUser=yes"], ("DynamicUser", "note")),
    Case("root-directory", [SLEEP, "RootDirectory=/srv/empty"], ("RootDirectory", "handled"),
         [f"BindReadOnlyPaths=-{LIBRARY}", "BindReadOnlyPaths=-/run/smc"]),
    Case("root-image", [SLEEP, "RootImage=/srv/image.raw"], ("RootImage", "all_tcp"), code=3),
    Case("tmpfs-usr-lib", [SLEEP, "TemporaryFileSystem=/usr/lib/smcshim"], ("mount-namespace", "handled"), [f"BindReadOnlyPaths=-{LIBRARY}"]),
    Case("tmpfs-run", [SLEEP, "TemporaryFileSystem=/run:ro"], ("mount-namespace", "handled"), ["BindReadOnlyPaths=-/run/smc"]),
    Case("inaccessible", [SLEEP, "InaccessiblePaths=-/usr/lib/smcshim"], ("InaccessiblePaths", "all_tcp"), code=3),
    Case("no-exec", [SLEEP, "NoExecPaths=/", "ExecPaths=/usr/bin /usr/lib/x86_64-linux-gnu /lib64"], ("NoExecPaths", "handled"),
         [f"ExecPaths=-{LIBRARY}"]),
    Case("strict", [SLEEP, "ProtectSystem=strict", "PrivateTmp=yes", "ProtectHome=yes", "MemoryDenyWriteExecute=yes", "PrivateDevices=yes"]),
    Case("private-network", [SLEEP, "PrivateNetwork=yes"], ("PrivateNetwork", "note")),
    Case("namespace", [SLEEP, "NetworkNamespacePath=/run/netns/x"], ("NetworkNamespacePath", "note")),
    Case("ip-deny", [SLEEP, "IPAddressDeny=any", "IPAddressAllow=localhost"], ("IPAddressDeny", "note")),
    Case("forking", ["Type=forking", "ExecStart=/bin/sh -c 'sleep 1000 &'"], ("forking", "note")),
    Case("template@", [SLEEP], ("template", "note")),
    Case("apparmor", [SLEEP, "AppArmorProfile=-m-profile"], ("AppArmor", "note")),
    Case("generated", [], ("generated", "note"), prepare=generated),
    Case("alias", [], prepare=alias, unit="m-real"),
    Case("masked", [], ("masked", "impossible"), code=3, force=3, prepare=masked),
    Case("transient", [], ("transient", "impossible"), code=3, force=3),
    Case("no-program", ["Type=oneshot", "RemainAfterExit=yes", "ExecStop=/bin/true"], ("program", "impossible"), code=3, force=3),
    Case("bad-setting", ["Type=simple"], ("load-state", "impossible"), code=3, force=3),
    Case("awkward-\\x2d:name", [SLEEP]),
]

number = failed = 0


def check(text, good, *explanation):
    global number, failed
    number += 1
    failed += not good
    print("ok" if good else "not ok", number, "-", text, flush=True)
    for line in explanation if not good else ():
        print("#  ", line, flush=True)


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def digest():
    entries = []
    for top, directories, files in os.walk(SYSTEM):
        for name in sorted(directories + files):
            path = os.path.join(top, name)
            status = os.lstat(path)
            content = "" if os.path.islink(path) or os.path.isdir(path) else open(path, "rb").read()
            entries.append((path, status.st_mode, hashlib.sha256(content or b"").hexdigest()))
    return sorted(entries)


def drop_in(case):
    return f"{SYSTEM}/{case.unit}.service.d/90-smcctl.conf"


def lines_of(path):
    with open(path, encoding="utf8") as stream:
        text = stream.read().split("[Service]\n", 1)[1]
    return [line for line in text.split("\n") if line]


def judge_explanation(case, unit):
    found = [(item["what"], item["kind"]) for item in unit["findings"]]
    if case.finding:
        check(f"{case.name}: explain finds {case.finding[0]}: {case.finding[1]}", case.finding in found, found)
    else:
        check(f"{case.name}: explain finds nothing", found == [], found)
    check(f"{case.name}: explain says whether enable refuses", unit["refused"] == (case.code != 0), unit["refused"])


def judge_drop_in(case):
    expected = list(case.drop_in)
    got = lines_of(drop_in(case))
    if any("--supervise" in line for line in expected):
        expected.insert(0, "ExecStart=")
        got = [line for line in got if not line.startswith("#")]
    elif not any(line.startswith(PRELOAD) for line in expected):
        expected.insert(0, PRELOAD)
    check(f"{case.name}: the drop-in has what is needed, and nothing else", got == expected, got, expected)


def instance(case):
    # That of smcctl, which looks at a template through it.
    return case.unit.replace("@", "@smcctl") + ".service"


def judge_families(cases):
    code, out, err = run("systemctl", "show", "-p", "Id", "-p", "RestrictAddressFamilies", *[instance(case) for case in cases])
    shown = {}
    for block in out.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.strip().split("\n"))
        shown[values["Id"]] = values["RestrictAddressFamilies"]
    for case in cases:
        value = shown[instance(case)]
        got = None if value == "~" else set(value.lstrip("~").split()) | ({"~"} if value.startswith("~") else set())
        check(f"{case.name}: the families are those of before and AF_SMC", got == case.families, value, err)


def fragments(cases):
    """Their unit files. systemd-analyze unescapes names of files (252): those with a backslash it cannot find."""
    cases = [case for case in cases if "\\" not in case.name]
    directory = {"m-generated": "/run/systemd/generator"}
    return cases, [f"{directory.get(case.unit, SYSTEM)}/{case.unit}.service" for case in cases]


def security(cases):
    """What each unit is confined by, as systemd-analyze sees it: {unit: {setting: whether it confines}}."""
    cases, paths = fragments(cases)
    code, out, err = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--json=short", *paths)
    tables = [json.loads(line) for line in out.split("\n") if line]
    check("systemd-analyze security has looked at each", code == 0 and len(tables) == len(cases), code, len(tables), err[-2000:])
    return {case.unit: {row["name"]: row["set"] for row in table} for case, table in zip(cases, tables)}


def judge_security(before, after):
    # The one row in which AF_SMC is: no list here has another family without a row of its own.
    other = "RestrictAddressFamilies=~…"
    for unit, rows in after.items():
        changed = {name: rows[name] for name in rows if rows[name] != before[unit][name]}
        widened = any(line.startswith("RestrictAddressFamilies") for line in next(c for c in CASES if c.unit == unit).drop_in)
        check(f"{unit}: systemd-analyze security: the drop-in opens AF_SMC, or nothing", changed == ({other: False} if widened else {}), changed)


def judge_by_systemd(cases):
    cases, paths = fragments(cases)
    code, out, err = run("systemd-analyze", "verify", "--recursive-errors=no", "--man=no", *paths)
    check("systemd-analyze verify finds no fault in any of them", code == 0 and "90-smcctl" not in err, code, err[-2000:])
    # A judge that can see each drop-in, and fail.
    with open(drop_in(cases[0]), "a", encoding="utf8") as stream:
        end = stream.tell()
        stream.write("Bogus=\n")
        stream.flush()
        code, out, err = run("systemd-analyze", "verify", "--recursive-errors=no", "--man=no", paths[0])
        check("... and would find one", code == 1 and drop_in(cases[0]) in err, code, err)
        stream.truncate(end)


def main():
    os.makedirs("/opt/units", exist_ok=True)
    for case in CASES:
        if case.prepare:
            case.prepare()
        if case.lines:
            write(f"{SYSTEM}/{case.name}.service", "[Service]\n" + "\n".join(case.lines) + "\n")
    # A unit that nothing refers to is loaded anew for each question; an active target that is ordered after them keeps them.
    write(HOLD, "[Unit]\nAfter=" + " ".join(instance(case) for case in CASES) + "\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", os.path.basename(HOLD))
    run("systemd-run", "-q", "--unit=m-transient", "/usr/bin/sleep", "1000")
    before = digest()
    names = [case.name for case in CASES]
    code, out, err = run("smcctl", "service", "explain", "--json", *names)
    check("explain of all of them", code == 0, err)
    units = {unit["unit"]: unit for unit in json.loads(out)["units"]}
    check("explain changes nothing", digest() == before)
    for case in CASES:
        judge_explanation(case, units[f"{case.unit}.service"])
    # systemd's own environment, which the plain one inherits.
    run("systemctl", "set-environment", "LD_PRELOAD=/x.so")
    code, out, err = run("smcctl", "service", "explain", "--json", CASES[0].name)
    run("systemctl", "unset-environment", "LD_PRELOAD")
    check("explain finds LD_PRELOAD in systemd's own environment", code == 0 and
          f"{PRELOAD}:/x.so" in json.loads(out)["units"][0]["drop_in"]["text"], out, err)
    # In one go, which is what one reload costs; those that are refused one by one.
    fit = [case for case in CASES if case.code == 0]
    hard = [case for case in CASES if case.code and case.force]
    soft = [case for case in CASES if case.code and not case.force and case.finding[0] not in ("EnvironmentFile", "UnsetEnvironment")]
    confined = security(fit + soft)
    code, out, err = run("smcctl", "service", "enable", *[case.name for case in fit])
    check("enable takes those that will be SMC", code == 0, err)
    # At once: after each reload systemd looks through all its directories for the first question about a unit.
    judge_families(fit)
    first = digest()
    again = fit[::10]
    code, out, err = run("smcctl", "service", "enable", "--force", *[case.name for case in again])
    check("enabled again, nothing changes", code == 0 and digest() == first and out.count("enabled already") == len(again), out, err)
    for case in [c for c in CASES if c.code and not c.force]:
        code, out, err = run("smcctl", "service", "enable", case.name)
        check(f"{case.name}: enable refuses, in one line", code == case.code and err.count("\n") == 1 and not os.path.exists(drop_in(case)),
              code, err)
    for case in hard:
        code, out, err = run("smcctl", "service", "enable", "--force", case.name)
        check(f"{case.name}: enable refuses, in one line, even with --force", code == case.force and err.count("\n") == 1 and not os.path.exists(drop_in(case)), code, err)
    code, out, err = run("smcctl", "service", "enable", "--force", *[case.name for case in soft])
    check("--force takes those that will stay TCP", code == 0, err)
    for case in fit + soft:
        judge_drop_in(case)
    judge_families(soft)
    judge_security(confined, security(fit + soft))
    judge_by_systemd(fit + soft)
    code, out, err = run("smcctl", "service", "disable", *[case.name for case in fit + soft + hard])
    check("disable all", code == 0 and out.count("disabled") == len(fit + soft), out, err)
    check("the tree is byte for byte as before", digest() == before)
    run("systemctl", "stop", os.path.basename(HOLD), "m-transient")
    for path in [HOLD, GENERATOR, f"{SYSTEM}/m-real.service"] + [f"{SYSTEM}/{case.name}.service" for case in CASES]:
        if os.path.lexists(path):
            os.unlink(path)
    run("systemctl", "daemon-reload")
    print(f"1..{number}")
    return failed > 0


sys.exit(main())
