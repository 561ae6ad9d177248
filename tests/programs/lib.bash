# SPDX-License-Identifier: MIT
# What a case may use: programs under the shim, their end, and what the kernel says about their sockets. Sourced by each case.
# shellcheck shell=bash
#
# A case prints its RESULT to stdout: what the program did for its user, in words that are the same in every run (no
# times, ports, process ids, orders that may vary). "run" compares it between the configurations and sets:
#   CONFIG  off    no shim
#           none   the shim, and a policy for addresses that the case does not use: every socket for a connection is made
#                  SMC and becomes TCP when connect() sees its address (where no rule says smc, no SMC socket is made at
#                  all: tests/shim has that)
#           all    the shim, and a policy for every address
#   MODE    what an SMC connection is here: smcd or smcr
#   WORK    an empty directory, readable by everybody
#   PORT    the first of 40 TCP ports that nobody else uses
#   SHARED  a directory that the configurations of one case have in common
#   FACTS   where fact() writes
set -euo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
smcstat=${SMCSHIM_BUILD:-$here/../../build}/tests/programs/smcstat
smcctl=${SMCSHIM_STAGE:-$here/../../build/stage}/usr/bin/smcctl
# shellcheck disable=SC2034 # for cases
host=127.0.0.1

die() {
    printf '%s: %s\n' "$(basename -- "$0")" "$*" >&2
    exit 1
}

# needs PROGRAM...: a missing program is a failure, never a skip.
needs() {
    local program
    for program; do
        type -P -- "$program" >/dev/null || die "'$program' is missing: install the packages in tests/programs/packages"
    done
}

# --- programs

# shellcheck disable=SC2034 # for cases that need the command line itself
if [[ $CONFIG == off ]]; then
    under=()
else
    under=("$smcctl" run --)
fi

# shim PROGRAM [ARG...]: runs it as the configuration says.
shim() {
    "${under[@]}" "$@"
}

# For the main part of nginx.conf, and for its http { }: nginx writes below $WORK only.
nginx_main() {
    printf '%s\n' 'error_log stderr warn;' "pid $WORK/nginx.pid;"
}

nginx_http() {
    local what
    echo 'access_log off;'
    for what in client_body proxy fastcgi uwsgi scgi; do
        printf '%s_temp_path %s;\n' "$what" "$WORK/$what"
    done
}

declare -A servers=()    # name -> process id

# start NAME PROGRAM [ARG...]: runs a server in the background under the shim; its output goes to $WORK/NAME.log.
start() {
    local name=$1
    shift
    "${under[@]}" "$@" >"$WORK/$name.log" 2>&1 </dev/null &
    servers[$name]=$!
}

# fails COMMAND...: true if it fails.
fails() {
    if "$@"; then return 1; fi
}

# A child that has ended stays until it is waited for, but is not alive.
alive() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null && [[ ${stat##*) } != Z* ]]
}

# gone ID...: waits until none of these processes is left; they need not be children.
gone() {
    local id tries=0
    for id; do
        while alive "$id"; do
            ((++tries <= 150)) || die "process $id does not end"
            sleep 0.1
        done
    done
}

# stop NAME [SIGNAL]: ends a server and waits for it.
stop() {
    local name=$1 id=${servers[$1]}
    unset "servers[$name]"
    [[ $CONFIG == off ]] || grep -q libsmcshim.so "/proc/$id/maps" || fact "$name is under the shim" false
    kill "-${2:-TERM}" "$id" || die "$name had ended before: $(tail -n 3 "$WORK/$name.log")"
    gone "$id"
}

# until_ok COMMAND...: repeats it for at most ten seconds.
until_ok() {
    local tries=0
    until "$@"; do
        ((++tries < 100)) || die "never: $*"
        sleep 0.1
    done
}

is_listening() {
    # The TCP socket under an SMC listener is listed as any other.
    [[ $(ss -Hltn "sport = :$1") ]]
}

# listening PORT...: waits for the listeners.
listening() {
    local number
    for number; do
        until_ok is_listening "$number"
    done
}

# --- facts

# fact "what is true" COMMAND...: one line of the report.
fact() {
    local text=$1 word='not ok'
    shift
    if "$@"; then word=ok; fi
    printf '%s %s\n' "$word" "$text" >>"$FACTS"
}

# listeners COUNT PORT...: so many sockets listen on these ports, and are SMC in "all" but TCP otherwise.
listeners() {
    local count=$1 smc tcp
    shift
    count_listeners "$@"
    if [[ $CONFIG == all ]]; then
        fact "of $count listeners $smc are SMC, $tcp TCP" test "$smc $tcp" = "$count 0"
    else
        fact "of $count listeners $smc are SMC, $tcp TCP" test "$smc $tcp" = "0 $count"
    fi
}

# plain_listeners COUNT PORT...: the same, but TCP in every configuration.
plain_listeners() {
    local count=$1 smc tcp
    shift
    count_listeners "$@"
    fact "of $count listeners $smc are SMC, $tcp TCP, by design" test "$smc $tcp" = "0 $count"
}

# Sets smc and tcp of the caller. ss lists also the TCP socket under an SMC listener.
count_listeners() {
    local pattern
    printf -v pattern '|%s' "$@"
    smc=$("$smcstat" sockets | grep -cE "^LISTEN - (${pattern#|}) ") || smc=0
    printf -v pattern '|:%s' "$@"
    tcp=$(($(ss -Hltn | awk -v ports="(${pattern#|})\$" '$4 ~ ports' | wc -l) - smc))
}

# From here on connections are counted; kinds() does it by itself.
mark() {
    "$smcstat" counters >"$WORK/.counters"
}

# The numbers of kinds(), for its expressions.
# shellcheck disable=SC2034
zero_counters() {
    made=0 client=0 server=0 wrong=0 client_fallback=0 server_fallback=0 forced=0 client_error=0 server_error=0
}

# both_ends GIVEN-UP: for programs that may close as many sockets in the middle of a handshake. Sets in_both_ends to what
# kinds() then has to find in place of "client == server": the client may have been done already, and nothing else differs.
both_ends() {
    # shellcheck disable=SC2034 # for cases
    in_both_ends="client >= server && client - server <= server_error && client_error <= $1 && server_error <= $1"
}

# kinds WHAT EXPRESSION: what the connections since the last mark were, as the kernel counted them. In "all" the
# arithmetic EXPRESSION must hold; its words are
#   client, server      SMC connections of the mode, at either end
#   client_fallback, server_fallback    SMC sockets that became TCP; forced is the part of the first that a downgrade made
#   made                SMC sockets that programs created
#   client_error        failed handshakes, of which there is none unless the expression has the word
#   server_error        the same at a server: no more than client_error unless the expression has the word
# and always: no connection of the other mode. Where a connection is refused the kernel may count a failed handshake:
# smc_connect_work() stores the error before it takes the lock, and when the program asks for it in between, it goes on
# with the handshake on the dead connection (seen once, at a load of 10). In the other configurations nothing is SMC.
kinds() {
    local what=$1 expression=$2 line name value reasons='' text
    local made client server wrong client_fallback server_fallback forced client_error server_error
    zero_counters
    while IFS='=' read -r name value; do
        case $name in
        "client_$MODE") client=$value ;;
        "server_$MODE") server=$value ;;
        client_smc? | server_smc?) wrong=$((wrong + value)) ;;
        bytes_smc?) ;;
        reason_*) reasons+=" ${name#reason_}:$value" ;;
        *) printf -v "$name" %d "$value" ;;
        esac
    done < <("$smcstat" since "$WORK/.counters")
    line="made=$made client=$client server=$server other-mode=$wrong client_fallback=$client_fallback (forced=$forced)"
    line+=" server_fallback=$server_fallback errors=$client_error+$server_error$reasons"
    case $CONFIG in
    all)
        [[ $expression == *client_error* ]] || expression+=' && client_error == 0'
        [[ $expression == *server_error* ]] || expression+=' && server_error <= client_error'
        expression+=' && wrong == 0'
        text="$client connections ${MODE^^} at the client, $server at the server"
        ((client_fallback + server_fallback == 0)) ||
            text+=", fallbacks $client_fallback (forced $forced) and $server_fallback"
        ;;
    none)
        expression='client + server + wrong + client_error + server_error + server_fallback == 0'
        expression+=' && client_fallback == forced && made >= forced && forced > 0'
        text="$made SMC sockets made, $forced downgraded, no connection SMC"
        ;;
    *)
        expression='made + client + server + wrong + client_error + server_error + client_fallback + server_fallback == 0'
        text='no SMC socket was made'
        ;;
    esac
    if ((expression)); then
        fact "$what: $text" true
    else
        fact "$what: not ($expression): $line" false
        "$smcstat" sockets | sed 's/^/socket /' >&2
    fi
}

# active PORT COUNT: now there are at least so many connections to the port, SMC of the mode at both ends in "all".
active() {
    local there
    there=$("$smcstat" sockets | grep -cE "^ACTIVE ${MODE^^} ($1 [0-9]+|[0-9]+ $1) ") || there=0
    if [[ $CONFIG == all ]]; then
        fact "open connections to it are SMC" test "$there" -ge $((2 * $2))
    else
        fact "open connections to it are TCP" test "$there" -eq 0
    fi
}

mark
