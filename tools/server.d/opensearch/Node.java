// SPDX-License-Identifier: Apache-2.0
// One OpenSearch node that lives until its process is ended: Node DIR PORT.

import static org.codelibs.opensearch.runner.OpenSearchRunner.newConfigs;

import org.codelibs.opensearch.runner.OpenSearchRunner;

public final class Node {
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[1]);
        OpenSearchRunner node = new OpenSearchRunner();
        node.onBuild((number, settings) -> {
            settings.put("network.host", "127.0.0.1");
            settings.put("discovery.type", "single-node");
            settings.remove("cluster.initial_cluster_manager_nodes");
        });
        // The runner counts its nodes from one and adds the number to the port.
        node.build(newConfigs().basePath(args[0]).clusterName("tidewatch").numOfNode(1)
                .baseHttpPort(port - 1));
        Thread.currentThread().join();
    }
}
