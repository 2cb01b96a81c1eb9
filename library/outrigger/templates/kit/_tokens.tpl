{{- /*
The presets of token refreshers, and exec, by their keys in an entry: of those that log in to a server an ambassador takes the
server's host and port.
Takes: nothing
Prints: the keys, as JSON
*/ -}}
{{- define "outrigger-0.2.0.kit.tokenPresets" -}}
["awsDsql", "awsRds", "azureDatabase", "exec", "googleCloudSql", "vault"]
{{- end -}}
