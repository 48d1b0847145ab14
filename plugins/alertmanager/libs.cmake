set(plugin_libs plugin_http)
