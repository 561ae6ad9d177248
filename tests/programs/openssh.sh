#!/bin/bash
# SPDX-License-Identifier: MIT
# OpenSSH: commands, scp, forwarded ports, a shared connection.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs sshd ssh scp ssh-keygen socat

mkdir -p /run/sshd "$SHARED"
[[ -f $SHARED/key ]] || ssh-keygen -q -t ed25519 -N '' -f "$SHARED/key"
[[ -f $SHARED/host ]] || ssh-keygen -q -t ed25519 -N '' -f "$SHARED/host"
cp "$SHARED/key.pub" authorized
printf '[%s]:%s %s\n' "$host" "$PORT" "$(<"$SHARED/host.pub")" >known
cat >sshd_config <<END
Port $PORT
ListenAddress $host
HostKey $SHARED/host
PidFile none
AuthorizedKeysFile $WORK/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
MaxStartups 50
Subsystem sftp internal-sftp
# Or bash reads the .bashrc of this machine at each login, which may take longer than all the rest.
SetEnv SHLVL=1
END
cat >ssh_config <<END
Host guest
    HostName $host
    Port $PORT
    User root
    IdentityFile $SHARED/key
    IdentitiesOnly yes
    UserKnownHostsFile $WORK/known
    GlobalKnownHostsFile none
    BatchMode yes
    ConnectTimeout 20
    # Half a second less for each connection under emulation than with the default.
    KexAlgorithms curve25519-sha256
END
# sshd executes itself anew for each connection by its absolute name.
start sshd "$(type -P sshd)" -D -e -f "$WORK/sshd_config"
listening "$PORT"
listeners 1 "$PORT"

login() {
    shim ssh -F ssh_config "$@"
}

# shellcheck disable=SC2016 # expanded there
seq 1 30000 >input
# What a login runs gets a new environment: the shim ends there.
# shellcheck disable=SC2016 # expanded there
login guest 'echo "${LD_PRELOAD-no preload}"; sha256sum; exit 7' <input || echo "exit $?"
shim scp -q -F ssh_config input guest:"$WORK/sent"
shim scp -q -F ssh_config guest:"$WORK/sent" fetched
sha256sum <fetched
kinds 'ssh, scp' 'client == server && client == 3 && client_fallback + server_fallback == 0'

# A master that others share passes descriptors; -L and -R put sockets of ssh and of sshd in the middle.
start echo socat -t 30 "TCP4-LISTEN:$((PORT + 3)),bind=$host,reuseaddr,fork" EXEC:cat
listening $((PORT + 3))
mark
start master ssh -F ssh_config -M -S "$WORK/control" -N -L "$host:$((PORT + 1)):$host:$((PORT + 3))" \
    -R "$host:$((PORT + 2)):$host:$((PORT + 3))" guest
listening $((PORT + 1)) $((PORT + 2))
login -S "$WORK/control" guest 'echo shared'
# ssh listens for -L; for -R sshd does, in the process of the session.
listeners 2 $((PORT + 1)) $((PORT + 2))
kinds 'master with forwarded ports' 'client == server && client == 1 && client_fallback + server_fallback == 0'
shim socat -t 30 STDIO "TCP4:$host:$((PORT + 1))" <input | sha256sum
kinds '-L: three connections' 'client == server && client == 2 && client_fallback + server_fallback == 0'
shim socat -t 30 STDIO "TCP4:$host:$((PORT + 2))" <input | sha256sum
kinds '-R: three connections' 'client == server && client == 2 && client_fallback + server_fallback == 0'
stop master
stop echo
stop sshd
