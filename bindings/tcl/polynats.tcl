# polynats: NATS for Tcl. The commands are written in C (polynats::c); here is what is better said in Tcl: the
# ensembles, and what runs a script's body.

package require Tcl 8.6-
package require polynats::c

namespace eval ::polynats {
    namespace export connect proto
    namespace ensemble create -subcommands {abi connect header now options proto subject version}
    namespace eval subject {
        namespace export matches valid valid_pattern
        namespace ensemble create
    }
}

# The first value of a message's header, or `absent`. Keys are compared to the letter.
proc ::polynats::header {message key {absent ""}} {
    if {![dict exists $message headers $key]} {
        return $absent
    }
    return [lindex [dict get $message headers $key] 0]
}

# $sub foreach variable ?-timeout seconds? body
proc ::polynats::Foreach {id variable seconds body} {
    set wait [expr {$seconds < 0 ? "" : [list -timeout $seconds]}]
    tailcall Each [list ::polynats::Call $id next] $variable $wait $body
}

# The same, of what the command gives.
proc ::polynats::Each {command variable wait body} {
    upvar 1 $variable message
    while {1} {
        try {
            set message [{*}$command {*}$wait]
        } trap {POLYNATS CLOSED} {} {
            return
        }
        if {![dict size $message]} {
            return
        }
        set code [catch {uplevel 1 $body} result options]
        switch -exact -- $code {
            0 - 4 {}
            3 { return }
            default {
                dict incr options -level
                return -options $options $result
            }
        }
    }
}

source [file join [file dirname [::info script]] jetstream.tcl]

package provide polynats [package present polynats::c]
