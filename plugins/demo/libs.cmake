# SPDX-License-Identifier: Apache-2.0
set(plugin_libs plugin_shared PkgConfig::RDKAFKA PkgConfig::JANSSON)
