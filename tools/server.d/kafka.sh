# SPDX-License-Identifier: Apache-2.0
# Apache Kafka: one node that is broker and controller, on the jars that Maven brings.

kafka_fetch() { fetch_jars kafka >/dev/null; }

kafka_java() { # CLASS ARGUMENT...
    java -cp "$(fetch_jars kafka)/*" "$@"
}

kafka_setup() {
    local port quorum
    port=$(free_port 10000 32000)
    quorum=$(free_port 10000 32000)
    cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$quorum
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$quorum
advertised.listeners=PLAINTEXT://127.0.0.1:$port
log.dirs=$dir/data
num.partitions=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=200
group.initial.rebalance.delay.ms=0
PROPERTIES
    [ $# -eq 0 ] || printf '%s\n' "$@" >>"$dir/server.properties"
    kafka_java kafka.tools.StorageTool format -c "$dir/server.properties" \
        -t "$(kafka_java kafka.tools.StorageTool random-uuid 2>>"$dir/log")" >>"$dir/log" 2>&1 ||
        die "could not format its storage; its log is $dir/log"
    printf '127.0.0.1:%s\n' "$port" >"$dir/address"
}

kafka_launch() {
    local jars
    jars=$(fetch_jars kafka)
    launch java -Xms256m -Xmx1g -cp "$jars/*" kafka.Kafka "$dir/server.properties"
}

kafka_ready() { kcat -b "$address" -L -m 2 >/dev/null 2>&1; }

kafka_topic() { # NAME PARTITIONS
    kafka_java org.apache.kafka.tools.TopicCommand --bootstrap-server "$(cat "$dir/address")" \
        --create --topic "$1" --partitions "$2" --replication-factor 1 >>"$dir/log" 2>&1 ||
        die "could not create topic $1; its log is $dir/log"
}
