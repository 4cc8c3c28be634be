# The protocol over a channel of one's own: tclsh own_transport.tcl
package require polynats

if {[lindex $argv 0] in {--help -h}} {
    puts "usage: tclsh own_transport.tcl"
    exit
}

# Does what the protocol asks for, and prints what comes.
proc handle {proto event} {
    switch -- [dict get $event type] {
        dial {
            dial $proto [dict get $event host] [dict get $event port]
        }
        connected {
            puts "connected to [dict get $event url]"
            $proto subscribe own.*
            $proto publish own.transport hello
        }
        message {
            set msg [dict get $event message]
            puts "[dict get $msg subject]\t[dict get $msg data]"
            set ::finished 1
        }
        error { puts stderr [dict get $event text] }
        disconnected { close $::channel }
        closed { set ::finished 1 }
    }
}

proc dial {proto host port} {
    global channel
    if {[catch {socket $host $port} channel]} {
        $proto transport_failed IO $channel
        return
    }
    fconfigure $channel -translation binary -blocking 0 -buffering none
    fileevent $channel readable [list move_bytes $proto]
    $proto transport_up
}

proc move_bytes {proto} {
    if {[catch {$proto feed [read $::channel]}] || [eof $::channel]} {
        $proto feed_eof
    }
    turn $proto
}

# Events, bytes to send, and the next time that something is due.
proc turn {proto} {
    $proto tick
    while {[dict size [set event [$proto next_event]]]} {
        handle $proto $event
    }
    if {[$proto pending]} {
        puts -nonewline $::channel [$proto take]
    }
    after cancel [list turn $proto]
    if {[$proto deadline] ne ""} {
        set left [expr {[$proto deadline] - [polynats now]}]
        after [expr {max(1, round($left * 1000))}] [list turn $proto]
    }
}

set proto [polynats proto [expr {[info exists env(NATS_URL)] ? $env(NATS_URL) : ""}]]
$proto start
turn $proto
vwait finished
