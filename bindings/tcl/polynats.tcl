# polynats: NATS for Tcl. The commands are written in C (polynats::c); here is what is better said in Tcl: the
# ensembles, and how a coroutine waits.

package require Tcl 8.6-
package require polynats::c

namespace eval ::polynats {
    namespace export connect proto
    namespace ensemble create -subcommands {abi connect header now options proto subject version}
    namespace eval subject {
        namespace export matches valid valid_pattern
        namespace ensemble create
    }
    variable Stopped
}

# The first value of a message's header, or `absent`. Keys are compared to the letter.
proc ::polynats::header {message key {absent ""}} {
    if {![dict exists $message headers $key]} {
        return $absent
    }
    return [lindex [dict get $message headers $key] 0]
}

# Resumes a coroutine that waits; one that has gone is no matter.
proc ::polynats::Wake {coroutine} {
    if {[namespace which -command $coroutine] ne ""} {
        $coroutine
    }
}

# Has a verb given something? Asked so that no value changes its form for it.
proc ::polynats::Any {verb value} {
    if {$verb eq "get"} {
        return [expr {[llength $value] > 0}]
    }
    return [expr {[dict size $value] > 0}]
}

# In a coroutine: waits until the handle's verb gives something, at most ms milliseconds (-1: for ever), and lets the
# event loop run meanwhile.
proc ::polynats::Await {handle ms verb args} {
    set wake [list ::polynats::Wake [info coroutine]]
    set call [list $handle $verb {*}$args]
    if {$verb ne "poll"} {
        lappend call [dict get {get -wait next -timeout next_event -wait} $verb] 0
    }
    set ends [expr {$ms < 0 ? -1 : [clock milliseconds] + $ms}]
    set timer [expr {$ms < 0 ? "" : [after $ms $wake]}]
    try {
        while {1} {
            set got [{*}$call]
            if {[Any $verb $got]} {
                return $got
            }
            if {$ends >= 0 && [clock milliseconds] >= $ends} {
                break
            }
            $handle watch $wake
            yield
        }
    } finally {
        after cancel $timer
        if {[namespace which -command $handle] ne ""} {
            $handle unwatch $wake
        }
    }
    if {$verb eq "poll"} {
        return -code error -errorcode {POLYNATS TIMEOUT ""} "the time to wait was up"
    }
    return $got
}

# In a coroutine: waits for the reply of a request of its own.
proc ::polynats::AwaitReply {future} {
    try {
        return [Await $future -1 poll]
    } finally {
        rename $future ""
    }
}

# $sub foreach variable ?-timeout seconds? body
proc ::polynats::Foreach {sub variable seconds body} {
    upvar 1 $variable message
    set wait [expr {$seconds < 0 ? "" : [list -timeout $seconds]}]
    while {1} {
        try {
            set message [$sub next {*}$wait]
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

# $nc run ?-timeout seconds?: the event loop, until $nc stop or $nc close.
proc ::polynats::Run {client args} {
    variable Stopped
    set seconds ""
    if {[llength $args]} {
        if {[llength $args] != 2 || [lindex $args 0] ne "-timeout"} {
            return -code error -errorcode {POLYNATS INVALID run} \
                "wrong # args: should be \"$client run ?-timeout seconds?\""
        }
        set seconds [lindex $args 1]
        if {![string is double -strict $seconds] || $seconds < 0} {
            return -code error -errorcode {POLYNATS INVALID -timeout} \
                "-timeout must be a number of seconds of 0 or more, not \"$seconds\""
        }
    }
    set watch [list set ::polynats::Stopped($client) 1]
    set timer [expr {$seconds eq "" ? "" : [after [expr {int(ceil($seconds * 1000))}] $watch]}]
    set Stopped($client) 0
    try {
        while {!$Stopped($client) && [$client status] ne "closed"} {
            vwait ::polynats::Stopped($client)
        }
    } finally {
        after cancel $timer
        unset -nocomplain Stopped($client)
    }
}

proc ::polynats::Stop {client} {
    variable Stopped
    if {[info exists Stopped($client)]} {
        set Stopped($client) 1
    }
}

package provide polynats [package present polynats::c]
