# SPDX-License-Identifier: Apache-2.0
set(plugin_libs PkgConfig::RDKAFKA PkgConfig::JANSSON Threads::Threads)
