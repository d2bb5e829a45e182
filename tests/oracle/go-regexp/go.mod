module ksops.dev/oracle/go-regexp

go 1.25
