# SPDX-License-Identifier: Apache-2.0
# Prometheus: scrapes the targets it was given once a second.

prometheus_fetch() { :; }

prometheus_setup() {
    if [ $# -eq 1 ] && [ -f "$1" ]; then
        cp "$1" "$dir/prometheus.yml"
    else
        prometheus_config "$@" >"$dir/prometheus.yml"
    fi
    promtool check config "$dir/prometheus.yml" >>"$dir/log" 2>&1 ||
        die "refuses its configuration; its log is $dir/log"
    printf '127.0.0.1:%s\n' "$(free_port 10000 32000)" >"$dir/address"
}

prometheus_config() { # HOST:PORT...
    printf 'global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }\n'
    [ $# -gt 0 ] || return 0
    printf 'scrape_configs:\n  - job_name: targets\n    static_configs:\n      - targets:\n'
    printf "          - '%s'\n" "$@"
}

prometheus_launch() {
    launch prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" \
        --web.listen-address="$address" --web.enable-lifecycle
}

prometheus_ready() { curl -sf -m 2 -o /dev/null "$address/-/ready"; }
