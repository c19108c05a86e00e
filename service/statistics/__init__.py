"""Figures for those who supervise: counts by day that outlive the data, waits, ratings, freshness,
the monthly report, and exports."""
