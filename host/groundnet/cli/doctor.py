# In the making by builder H2: builder H, leave this; go on with collector/, track, case.
