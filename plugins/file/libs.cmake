set(plugin_libs plugin_shared)
