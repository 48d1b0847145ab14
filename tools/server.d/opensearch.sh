# SPDX-License-Identifier: Apache-2.0
# OpenSearch: one node inside a small Java program, since no package of Debian has it.

opensearch_fetch() { fetch_jars opensearch >/dev/null; }

opensearch_setup() {
    opensearch_fetch
    # The runner refuses ports from 9300 on: those are the nodes' own.
    printf '127.0.0.1:%s\n' "$(free_port 9201 9300)" >"$dir/address"
}

opensearch_launch() {
    local jars
    jars=$(fetch_jars opensearch)
    launch java -Xms256m -Xmx512m -cp "$jars/*" "$here/server.d/opensearch/Node.java" \
        "$dir/data" "${address##*:}"
}

opensearch_ready() {
    curl -sf -m 2 -o /dev/null "$address/_cluster/health?wait_for_status=yellow&timeout=1s"
}
