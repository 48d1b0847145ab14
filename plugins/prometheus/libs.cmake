# SPDX-License-Identifier: Apache-2.0
set(plugin_libs PkgConfig::CURL PkgConfig::JANSSON Threads::Threads m)
