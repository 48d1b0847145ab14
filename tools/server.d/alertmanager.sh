# SPDX-License-Identifier: Apache-2.0
# Alertmanager: alone, without a cluster, and without waiting for a group to gather.

alertmanager_fetch() { :; }

alertmanager_setup() {
    if [ $# -eq 1 ] && [ -f "$1" ]; then
        cp "$1" "$dir/alertmanager.yml"
    else
        alertmanager_config "$@" >"$dir/alertmanager.yml"
    fi
    amtool check-config "$dir/alertmanager.yml" >>"$dir/log" 2>&1 ||
        die "refuses its configuration; its log is $dir/log"
    printf '127.0.0.1:%s\n' "$(free_port 10000 32000)" >"$dir/address"
}

alertmanager_config() { # URL...
    printf 'route:\n  receiver: everyone\n  group_by: ["..."]\n'
    printf '  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 1h\n'
    printf 'receivers:\n  - name: everyone\n'
    [ $# -gt 0 ] || return 0
    printf '    webhook_configs:\n'
    printf "      - { url: '%s', send_resolved: true }\n" "$@"
}

alertmanager_launch() {
    launch prometheus-alertmanager --config.file="$dir/alertmanager.yml" \
        --storage.path="$dir/data" --web.listen-address="$address" --cluster.listen-address=
}

alertmanager_ready() { curl -sf -m 2 -o /dev/null "$address/-/ready"; }
