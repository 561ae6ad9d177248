#!/bin/bash
# SPDX-License-Identifier: MIT
# OpenSSH: commands, scp, sftp, forwarded ports, a shared connection.
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
needs sshd ssh scp sftp ssh-keygen socat

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
    # Half a second less for each connection under emulation than the default.
    KexAlgorithms curve25519-sha256
END
# sshd executes itself anew for each connection by its absolute name.
start sshd "$(type -P sshd)" -D -e -f "$WORK/sshd_config"
listening "$PORT"
listeners "$PORT" 1

login() {
    shim ssh -F ssh_config "$@"
}

# shellcheck disable=SC2016 # expanded there
login guest 'echo hello; exit 7' || echo "exit $?"
seq 1 300000 >input
login guest cat <input | sha256sum
shim scp -q -F ssh_config input guest:"$WORK/sent"
shim scp -q -F ssh_config guest:"$WORK/sent" fetched
sha256sum <fetched
printf 'put input sftped\nls -1 sftped\n' | shim sftp -q -F ssh_config -b - guest:"$WORK" 2>&1 | grep -v '^sftp>'
sha256sum <sftped
kinds 'ssh, scp, sftp' 'client == server && client == 5 && client_fallback + server_fallback == 0'

# What a login runs gets a new environment: the shim ends there, and says so by being absent.
# shellcheck disable=SC2016 # expanded there
login guest 'echo "${LD_PRELOAD-no preload}"'

# A master that others share passes descriptors; -L and -R put sockets of ssh and of sshd in the middle.
start echo socat -t 30 "TCP4-LISTEN:$((PORT + 3)),bind=$host,reuseaddr,fork" EXEC:cat
listening $((PORT + 3))
mark
start master ssh -F ssh_config -M -S "$WORK/control" -N -L "$host:$((PORT + 1)):$host:$((PORT + 3))" \
    -R "$host:$((PORT + 2)):$host:$((PORT + 3))" guest
listening $((PORT + 1)) $((PORT + 2))
login -S "$WORK/control" guest 'echo shared'
listeners $((PORT + 1)) 1
# sshd listens for -R in the process of the session.
listeners $((PORT + 2)) 1
kinds 'master with forwarded ports' 'client == server && client == 1 && client_fallback + server_fallback == 0'
shim socat -t 30 STDIO "TCP4:$host:$((PORT + 1))" <input | sha256sum
kinds '-L: three connections' 'client == server && client == 2 && client_fallback + server_fallback == 0'
shim socat -t 30 STDIO "TCP4:$host:$((PORT + 2))" <input | sha256sum
kinds '-R: three connections' 'client == server && client == 2 && client_fallback + server_fallback == 0'
stop master
stop echo
stop sshd
